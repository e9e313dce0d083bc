from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from recsys_serving.experimenting.off_policy_preview import PreviewQuery, preview_policy
from recsys_serving.experimenting.target_policies import BundlePolicy, ItemProbabilities, OtherEpsilon
from recsys_serving.store.events.records import Exposure, Interaction

from recsys.errors import ExperimentError

START = datetime(2024, 3, 1, tzinfo=UTC)
QUERY = PreviewQuery(START - timedelta(hours=1), START + timedelta(days=1), max_lists=10_000, timeout_seconds=60.0)
#: The ranker's item is clicked in 40 %, those of the pool in 20 %, but one in 80 %.
RATES = {"own": 0.4, "p": 0.2, "q": 0.2, "best": 0.8}
NUM_LISTS, EPSILON = 3000, 0.6


@pytest.fixture
def log(store):
    """Lists of two places, the second of which explored, with clicks by the rates."""
    draws = np.random.default_rng(5)
    lists, clicks = [], []
    for number in range(NUM_LISTS):
        explores = draws.random() < EPSILON
        item = str(draws.choice(["p", "q", "best"])) if explores else "own"
        context = {"ranked": {"1": "own"}, "epsilon": EPSILON, "is_plain": True, "first_rank": 1}
        one = Exposure(
            UUID(int=number + 1),
            f"user-{number % 1000}",
            START + timedelta(seconds=number),
            ("top", item),
            (1.0, EPSILON / 3 if explores else 1 - EPSILON),
            "first",
            "1",
            "new",
            "x",
            context,
        )
        lists.append(one)
        if draws.random() < RATES[item]:
            clicks.append(
                Interaction(f"e{number}", str(one.user_id), item, "click", one.shown_at + timedelta(seconds=9), None,
                            one.recommendation_id)
            )  # fmt: skip
    store.exposures.append(lists)
    store.interactions.append(clicks)
    return lists


def by_estimator(found):
    return {one["estimator"]: one for one in found.estimates}


def test_a_ranker_without_exploring_is_judged_by_its_own_items(store, log):
    found = preview_policy(store.outcomes, OtherEpsilon(0.0), QUERY)
    assert (found.num_lists, found.left_out, found.places) == (NUM_LISTS, {}, [1])
    for name, one in by_estimator(found).items():
        assert one["low"] < RATES["own"] < one["high"], name
        assert one["overlap"]["effective_size"] > 1000
    assert set(by_estimator(found)) == {"ips", "snips", "doubly_robust"}
    assert found.sentence == by_estimator(found)["snips"]["sentence"]


def test_given_items_are_judged_and_the_better_ones_are_better(store, log):
    found = preview_policy(store.outcomes, ItemProbabilities({"best": 0.9, "p": 0.1}), QUERY)
    for one in by_estimator(found).values():
        assert one["low"] < 0.9 * 0.8 + 0.1 * 0.2 < one["high"]
        assert one["verdict"] == "better"


def test_more_exploring_is_judged_without_a_model_of_the_reward(store, log):
    found = preview_policy(store.outcomes, OtherEpsilon(0.9), QUERY)
    assert by_estimator(found)["snips"]["low"] < 0.1 * 0.4 + 0.9 * 0.4 < by_estimator(found)["snips"]["high"]
    assert list(found.unavailable) == ["doubly_robust"] and "pool" in found.unavailable["doubly_robust"]


def test_a_policy_that_the_log_has_not_shown_is_refused_in_words(store, log):
    found = preview_policy(store.outcomes, ItemProbabilities({"never shown": 1.0}), QUERY)
    for one in found.estimates:
        assert (one["verdict"], one["value"]) == ("refused", None)
        assert "the log lacks what the policy would show" in one["sentence"]
        assert one["overlap"]["effective_size"] == 0.0


def test_a_policy_that_changes_places_without_chance_is_refused(store, log):
    found = preview_policy(store.outcomes, ItemProbabilities({"best": 1.0}), QUERY_OF_ALL)
    assert found.places == [0, 1]
    assert {one["verdict"] for one in found.estimates} == {"refused"}


QUERY_OF_ALL = PreviewQuery(QUERY.since, QUERY.until, places="all", max_lists=10_000, timeout_seconds=60.0)


def test_only_some_lists_are_read(store, log):
    some = PreviewQuery(QUERY.since, QUERY.until, experiment_id="x", max_lists=500, timeout_seconds=60.0)
    assert preview_policy(store.outcomes, OtherEpsilon(0.0), some).num_lists == 500
    with pytest.raises(ExperimentError, match=r"is over \(.* hours\)\. Of 0 such lists none is left"):
        preview_policy(store.outcomes, OtherEpsilon(0.0), PreviewQuery(QUERY.since, QUERY.until, experiment_id="y"))


def test_interactions_after_their_time_are_no_reward(store, log):
    late = PreviewQuery(QUERY.since, QUERY.until, attribution_seconds=5.0, timeout_seconds=60.0)
    assert {one["logged_value"] for one in preview_policy(store.outcomes, OtherEpsilon(0.0), late).estimates} == {0.0}


def test_lists_that_cannot_be_made_again_are_left_out_and_counted(store):
    plain = {"ranked": {"0": "a"}, "epsilon": 0.5, "is_plain": True, "first_rank": 1}
    contexts = [
        plain,
        plain,
        {},
        {**plain, "is_plain": False},
        {**plain, "first_rank": 11},
        {**plain, "degraded": ["store"]},
        {**plain, "ranked": {"1": "b"}},
    ]
    users = ["ann", "bob", "ann", "ann", "ann", "ann", "ann", None]
    for number, (context, user) in enumerate(zip([*contexts, plain], users, strict=True)):
        store.exposures.append(
            [Exposure(UUID(int=number + 1), user, START, ("a", "b"), (0.5, 0.5), "first", "1", context=context)]
        )
    policy = BundlePolicy(lambda queries, *_: [["a", "b"]] * len(queries), None, {})
    found = preview_policy(store.outcomes, policy, QUERY)
    assert (found.num_lists, found.places) == (2, [0])
    assert found.left_out == {
        "it had no slot that explores": 1,
        "its query had more than a user": 2,
        "it was made without a dependency": 1,
        "its user is not known": 1,
        "it has other places than most": 1,
    }
    assert preview_policy(store.outcomes, OtherEpsilon(0.0), QUERY).num_lists == 6


def test_lists_for_which_the_time_does_not_suffice_are_counted(store, log):
    policy = BundlePolicy(lambda queries, *_: [["top", "own"]] * 700, None, {})
    found = preview_policy(store.outcomes, policy, QUERY)
    assert (found.num_lists, found.left_out) == (700, {"the time did not suffice": NUM_LISTS - 700})
