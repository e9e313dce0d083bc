"""The oracle enumerates every way in which a tiny log can come about, with its probability, in plain Python."""

import itertools

import numpy as np
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.off_policy.estimates import LoggedFeedback, doubly_robust, estimate_policy, ips, snips
from recsys.experiments.off_policy.overlap import OverlapLimits

CONTEXTS, ACTIONS = (0.3, 0.7), 3
LOGGING = [[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
TARGET = [[0.1, 0.1, 0.8], [0.7, 0.3, 0.0]]
REWARD = [[0.2, 0.5, 0.9], [0.6, 0.1, 0.4]]
WRONG_MODEL = [[0.9, 0.0, 0.3], [0.2, 0.2, 0.7]]


def single_outcomes():
    """Probability, context, action and reward of everything that can happen once."""
    for x, a, r in itertools.product(range(2), range(ACTIONS), (0, 1)):
        chance = CONTEXTS[x] * LOGGING[x][a] * (REWARD[x][a] if r else 1 - REWARD[x][a])
        yield chance, x, a, r


def true_value():
    return sum(CONTEXTS[x] * TARGET[x][a] * REWARD[x][a] for x in range(2) for a in range(ACTIONS))


def logs(rows, model=WRONG_MODEL):
    """Every log of so many rows, with its probability."""
    for outcome in itertools.product(list(single_outcomes()), repeat=rows):
        chance = np.prod([one[0] for one in outcome])
        pairs = [(x, a) for _, x, a, _ in outcome]
        yield (
            chance,
            LoggedFeedback(
                [r for *_, r in outcome],
                [LOGGING[x][a] for x, a in pairs],
                [TARGET[x][a] for x, a in pairs],
                [model[x][a] for x, a in pairs],
                [sum(TARGET[x][b] * model[x][b] for b in range(ACTIONS)) for x, _ in pairs],
            ),
        )


@pytest.mark.parametrize("estimator", [ips, doubly_robust])
@pytest.mark.parametrize("rows", [1, 2])
def test_the_estimate_is_right_in_the_mean_over_all_logs(estimator, rows):
    assert sum(chance * estimator(log)[0] for chance, log in logs(rows)) == pytest.approx(true_value())


def test_a_right_model_leaves_only_the_noise_of_contexts_and_rewards():
    spread = {}
    for name, estimator, model in [
        ("ips", ips, WRONG_MODEL),
        ("wrong", doubly_robust, WRONG_MODEL),
        ("right", doubly_robust, REWARD),
    ]:
        values = [(chance, estimator(log)[0]) for chance, log in logs(1, model)]
        spread[name] = sum(chance * (value - true_value()) ** 2 for chance, value in values)
    assert spread["right"] < spread["wrong"]
    assert spread["right"] < spread["ips"]


def test_the_variance_of_ips_is_that_over_all_logs():
    exact = sum(chance * (ips(log)[0] - true_value()) ** 2 for chance, log in logs(2))
    estimated = sum(chance * (ips(log)[1] ** 2).sum() * 2 / 4 for chance, log in logs(2))
    assert estimated == pytest.approx(exact)


def test_snips_is_the_weighted_mean_of_the_rewards():
    log = LoggedFeedback([1, 0, 1], [0.5, 0.25, 0.1], [0.5, 0.5, 0.1])
    value, influences = snips(log)
    assert value == pytest.approx((1 + 0 + 1) / (1 + 2 + 1))
    assert influences == pytest.approx(np.array([1, 2, 1]) * (np.array([1, 0, 1]) - 0.5) / (4 / 3))


def test_snips_does_not_move_with_a_shift_of_the_rewards():
    log = [1.0, 0.0, 3.0], [0.5, 0.25, 0.1], [0.5, 0.5, 0.1]
    shifted = [value + 10 for value in log[0]], *log[1:]
    assert snips(LoggedFeedback(*shifted))[0] == pytest.approx(snips(LoggedFeedback(*log))[0] + 10)


def slate_logs():
    """Every slate of two positions, items drawn apart, whose rewards depend on item and position alone."""
    logging, target = [[0.6, 0.4], [0.3, 0.7]], [[0.2, 0.8], [0.9, 0.1]]
    reward = [[0.5, 0.2], [0.1, 0.8]]
    truth = sum(target[k][a] * reward[k][a] for k in range(2) for a in range(2))
    found = []
    for items in itertools.product(range(2), repeat=2):
        for rewards in itertools.product((0, 1), repeat=2):
            chances = [
                logging[k][items[k]] * (reward[k][items[k]] if rewards[k] else 1 - reward[k][items[k]])
                for k in range(2)
            ]
            shown = [[table[k][items[k]] for k in range(2)] for table in (logging, target)]
            model, expected = [0.4, 0.1], [0.4, 0.1]
            found.append(
                (chances[0] * chances[1], LoggedFeedback([rewards], *[[row] for row in shown], [model], [expected]))
            )
    return truth, found


@pytest.mark.parametrize("estimator", [ips, doubly_robust])
def test_slates_are_right_in_the_mean_over_all_of_them(estimator):
    truth, found = slate_logs()
    assert sum(chance for chance, _ in found) == pytest.approx(1)
    assert sum(chance * estimator(log)[0] for chance, log in found) == pytest.approx(truth)


def test_snips_of_slates_normalises_each_position():
    log = LoggedFeedback([[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.1]], [[0.5, 0.1], [0.1, 0.1]])
    assert snips(log)[0] == pytest.approx(1 / 1.2 + 1 / 1.2)


def simulated(rows, generator, target=TARGET):
    x = (generator.random(rows) < CONTEXTS[1]).astype(int)
    logging, rewards, model = np.array(LOGGING), np.array(REWARD), np.array(WRONG_MODEL)
    a = (generator.random(rows)[:, None] > logging[x].cumsum(axis=1)).sum(axis=1)
    q = np.array(target)
    r = generator.random(rows) < rewards[x, a]
    return LoggedFeedback(r, logging[x, a], q[x, a], model[x, a], (q[x] * model[x]).sum(axis=1))


@pytest.fixture(scope="module")
def many_logs():
    generator = np.random.default_rng(1)
    return [simulated(500, generator) for _ in range(300)]


@pytest.mark.parametrize("estimator", ["ips", "snips", "doubly_robust"])
def test_intervals_hold_the_true_value_at_their_rate(estimator, many_logs):
    found = [estimate_policy(log, estimator) for log in many_logs]
    held = np.mean([one.low <= true_value() <= one.high for one in found])
    assert 0.92 <= held <= 0.98


def test_a_policy_that_is_better_is_said_to_be():
    best = [[0.05, 0.05, 0.9], [0.9, 0.05, 0.05]]
    found = estimate_policy(simulated(3000, np.random.default_rng(0), best), "snips")
    assert found.verdict == "better"
    assert 0 < found.difference_low < found.value - found.logged_value < found.difference_high
    assert found.sentence.startswith(f"The policy would have got {found.value:.4g} [{found.low:.4g}, {found.high:.4g}]")
    assert found.sentence.endswith("of 3000; better.")
    assert estimate_policy(simulated(3000, np.random.default_rng(0), best), better="lower").verdict == "worse"


def test_the_policy_that_ran_is_no_better_than_itself():
    log = simulated(500, np.random.default_rng(0), LOGGING)
    found = estimate_policy(log, "ips")
    assert found.value == found.logged_value
    assert (found.difference_low, found.difference_high, found.verdict) == (0, 0, "no difference shown")


def test_poor_overlap_is_refused_with_its_numbers():
    generator = np.random.default_rng(0)
    rewards = generator.random(2000) < 0.3
    found = estimate_policy(LoggedFeedback(rewards, np.full(2000, 0.999), np.full(2000, 0.01)))
    assert (found.value, found.low, found.high, found.difference_low) == (None, None, None, None)
    assert found.verdict == "refused"
    assert found.overlap.mean_weight == pytest.approx(0.01, rel=0.01)
    assert found.sentence.startswith("No estimate: the weights have a mean of 0.01 instead of 1")
    few = estimate_policy(simulated(50, generator))
    assert few.verdict == "refused" and "effective sample size is" in few.sentence
    assert estimate_policy(simulated(50, generator), limits=OverlapLimits(5, 0.5)).verdict != "refused"


def test_rows_of_one_unit_are_not_independent():
    log = simulated(500, np.random.default_rng(0))
    columns = [log.rewards, log.propensities, log.target_propensities]
    doubled = [np.repeat(one, 2, axis=0) for one in columns]
    alone = estimate_policy(LoggedFeedback(*columns))
    together = estimate_policy(LoggedFeedback(*doubled, unit_ids=[f"u{row // 2}" for row in range(1000)]))
    careless = estimate_policy(LoggedFeedback(*doubled))
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    assert careless.high - careless.low < 0.8 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [0.0], [0.5]), "propensities must be above 0 and at most 1"),
        (([1], [1.5], [0.5]), "propensities must be above 0 and at most 1"),
        (([1], [0.5], [1.5]), "target_propensities must be from 0 to 1"),
        (([1, 0], [0.5], [0.5]), "propensities must be one for each reward"),
        (([np.nan], [0.5], [0.5]), "rewards must be finite numbers"),
        ((["a"], [0.5], [0.5]), "rewards must be numbers"),
        (([1], [0.5], [0.5], [0.5]), "go together"),
        (([1], [0.5], [0.5], None, None, ["a", "b"]), "there are 2 of 1"),
    ],
    ids=["zero", "above", "target", "shape", "nan", "text", "predictions", "units"],
)
def test_a_wrong_log_is_refused(arguments, message):
    with pytest.raises(ExperimentError, match=message):
        LoggedFeedback(*arguments)


def test_settings_of_an_estimate_are_checked():
    log = simulated(500, np.random.default_rng(0))
    bare = LoggedFeedback(log.rewards, log.propensities, log.target_propensities)
    with pytest.raises(ExperimentError, match="needs predictions and target_predictions of a model"):
        estimate_policy(bare, "doubly_robust")
    with pytest.raises(ExperimentError, match="must be one of ips, snips, doubly_robust"):
        estimate_policy(bare, "magic")
    with pytest.raises(ExperimentError, match="at least two units; there are 1"):
        estimate_policy(LoggedFeedback(np.ones(500), np.ones(500), np.ones(500), unit_ids=["u"] * 500))
