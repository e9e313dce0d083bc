import pytest

from recsys.errors import ExperimentError
from recsys.experiments.assignment import assign
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.guardrails import GuardrailResult
from recsys.experiments.metric import Guardrail
from recsys.experiments.rollout import RolloutPlan, RolloutState, at_step, next_step
from recsys.experiments.sample_ratio import check_sample_ratio

HOUR = 3600.0
GUARDRAIL = Guardrail("clicks", relative_tolerance=0.02)
FINE = GuardrailResult(GUARDRAIL, False, True, 0.1, 0.2, "fine")
CROSSED = GuardrailResult(GUARDRAIL, True, True, -0.1, -0.05, "Guardrail clicks: crossed.")
UNMEASURED = GuardrailResult(GUARDRAIL, False, False, 0.0, 1.0, "too few")


def test_a_harmless_variant_goes_up_all_steps_and_is_done():
    state, shares = RolloutState(), []
    for day in range(1, 8):
        shares.append(state.treatment_share)
        state = next_step(state, [FINE], units=2000 * day, now=24 * HOUR * day)
    assert shares == [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.0]
    assert state.status == "done"
    assert next_step(state, [CROSSED], 10**6, 1e9) is state


@pytest.mark.parametrize(
    ("units", "hours", "guardrail", "reason"),
    [
        (5000, 23.9, FINE, "Holds at 0.01 of the units: 23.9 of at least 24 hours have passed."),
        (999, 48, FINE, "Holds at 0.01 of the units: 999 of at least 1000 units of treatment have come at this step."),
        (5000, 48, UNMEASURED, "Holds at 0.01 of the units: too few units to measure clicks."),
    ],
    ids=["young", "few-units", "unmeasured"],
)
def test_a_step_that_has_not_seen_enough_holds(units, hours, guardrail, reason):
    before = RolloutState()
    after = next_step(before, [guardrail], units, hours * HOUR)
    assert (after.step, after.since, after.status, after.reason) == (0, 0.0, "running", reason)


def test_units_count_from_the_beginning_of_the_step():
    state = next_step(RolloutState(), [], 5000, 24 * HOUR)
    assert (state.step, state.units_before, state.since) == (1, 5000, 24 * HOUR)
    assert next_step(state, [], 5500, 48 * HOUR).step == 1
    assert next_step(state, [], 6000, 48 * HOUR).step == 2


def test_a_crossed_guardrail_rolls_back_at_once_and_for_good():
    state = next_step(RolloutState(step=3), [FINE, CROSSED], 1, 60.0)
    assert (state.status, state.since, state.treatment_share, state.control_share) == ("rolled back", 60.0, 0.0, 0.0)
    assert state.reason == "Rolled back. Guardrail clicks: crossed."
    assert next_step(state, [FINE], 10**6, 1e9) is state


def test_lost_units_hold_the_rollout():
    lost = check_sample_ratio({"control": 5000, "b": 4000}, {"control": 0.5, "b": 0.5})
    state = next_step(RolloutState(), [FINE], 4000, 48 * HOUR, lost)
    assert state.step == 0 and "Results mean nothing" in state.reason
    kept = check_sample_ratio({"control": 5000, "b": 4950}, {"control": 0.5, "b": 0.5})
    assert next_step(RolloutState(), [FINE], 4000, 48 * HOUR, kept).step == 1


@pytest.mark.parametrize(("units", "now"), [(10, 50.0), (4, 200.0)], ids=["clock", "units"])
def test_time_and_units_do_not_go_back(units, now):
    with pytest.raises(ExperimentError, match="the step began at 100 with 5 units"):
        next_step(RolloutState(since=100.0, units_before=5), [], units, now)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": []}, "at least one step"),
        ({"steps": [0.1, 0.1]}, "must ascend"),
        ({"steps": [0.6]}, "at most .5, so that control is as large, or 1"),
        ({"steps": [0.0]}, "a step of a rollout must be from"),
        ({"min_hours": -1}, "min_hours must be from"),
        ({"min_units": -1}, "min_units must be from"),
    ],
    ids=["none", "equal", "large", "zero", "hours", "units"],
)
def test_a_wrong_plan_is_refused(values, message):
    with pytest.raises(ExperimentError, match=message):
        RolloutPlan(**values)


def test_a_state_survives_being_stored():
    state = next_step(RolloutState(RolloutPlan(steps=(0.02, 0.5), min_units=7)), [], 100, 24 * HOUR)
    assert RolloutState.from_dict(state.to_dict()) == state


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"setp": 1}, "cannot be read from"),
        ({"plan": {"stpes": []}}, "cannot be read from"),
        ({"status": "gone"}, "must be one of running, done, rolled back"),
        ({"step": 6}, "a rollout of 6 steps has no step 6"),
    ],
    ids=["key", "plan", "status", "step"],
)
def test_a_wrong_state_is_refused(written, message):
    with pytest.raises(ExperimentError, match=message):
        RolloutState.from_dict(written)


@pytest.fixture
def experiment():
    return Experiment("new", "s", [Variant("control", 0.5), Variant("b", 0.5, bundle="second")], buckets=[])


def variants(one):
    return [None if (found := assign(one, str(unit))) is None else found.variant.name for unit in range(3000)]


def test_control_is_as_large_as_treatment_until_everyone_has_it(experiment):
    shares = []
    for step in range(6):
        names = variants(at_step(experiment, RolloutState(step=step)))
        shares.append((names.count("b") / 3000, names.count("control") / 3000))
    expected = [(0.01, 0.01), (0.05, 0.05), (0.1, 0.1), (0.25, 0.25), (0.5, 0.5), (1, 0)]
    assert [pytest.approx(pair, abs=0.025) for pair in expected] == shares
    assert shares[-1] == (1, 0)


def test_whoever_has_treatment_keeps_it(experiment):
    before = at_step(experiment, RolloutState())
    for step in range(1, 6):
        after = at_step(before, RolloutState(step=step))
        pairs = list(zip(variants(before), variants(after), strict=True))
        assert all(now == "b" for then, now in pairs if then == "b")
        if step < 5:
            assert all(now == "control" for then, now in pairs if then == "control")
        before = after


def test_after_a_rollback_nobody_takes_part(experiment):
    running = at_step(experiment, RolloutState(step=4))
    stopped = at_step(running, RolloutState(step=4, status="rolled back"))
    assert stopped.status == "stopped"
    assert set(variants(stopped)) == {None}


def test_a_rollout_has_two_variants():
    three = Experiment("x", "s", [Variant("a", 0.4), Variant("b", 0.3), Variant("c", 0.3)])
    with pytest.raises(ExperimentError, match="a rollout has two variants"):
        at_step(three, RolloutState())
