from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from recsys_serving.experimenting.target_policies import BundlePolicy, ItemProbabilities, OtherEpsilon
from recsys_serving.recommending.counterfactual_lists import PastQuery
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.store.events.records import Exposure

from recsys.errors import ExperimentError

NOW = datetime(2024, 3, 1, tzinfo=UTC)
PATIENT = Deadline(1e6)
#: The ranker has b at place 1; a third of the time c or d or e stood there.
CONTEXT = {"ranked": {"1": "b"}, "epsilon": 0.3}


def shown(item, propensity):
    return Exposure(UUID(int=1), "ann", NOW, ("a", item), (1.0, propensity), "first", "1", context=CONTEXT)


def test_another_epsilon_weights_what_was_shown():
    ranked, explored = shown("b", 0.7), shown("d", 0.1)
    assert OtherEpsilon(0.0).tells_all and not OtherEpsilon(0.6).tells_all
    assert OtherEpsilon(0.0).distributions([ranked], [0, 1], PATIENT) == [[{"a": 1.0}, {"b": 1.0}]]
    more = OtherEpsilon(0.6).distributions([ranked, explored], [1], PATIENT)
    assert more[0][0]["b"] == pytest.approx(0.4)
    assert more[1][0] == pytest.approx({"b": 0.4, "d": 0.2})


def test_items_for_everybody_have_their_probabilities():
    policy = ItemProbabilities({"x": 0.25, "y": 0.75})
    assert policy.distributions([shown("b", 0.7)] * 2, [0, 1], PATIENT) == [[policy.probabilities] * 2] * 2
    for wrong in ({"x": 0.5}, {"x": 1.5, "y": -0.5}):
        with pytest.raises(ExperimentError, match="add up to 1"):
            ItemProbabilities(wrong)


class Lists:
    """Makes the same list for everybody."""

    def __init__(self, *items):
        self.items, self.asked = list(items), []

    def __call__(self, queries, bundle, list_options, deadline, with_pool=False):
        self.asked.append((list(queries), bundle, dict(list_options), with_pool))
        return [self.items] * len(queries)


def test_a_bundle_shows_what_its_list_has_at_a_place():
    lists = Lists("p", "q")
    found = BundlePolicy(lists, "second", {"diversity": "mmr"}).distributions([shown("b", 0.7)], [0, 1], PATIENT)
    assert found == [[{"p": 1.0}, {"q": 1.0}]]
    assert lists.asked == [([PastQuery("ann", NOW, 2)], "second", {"diversity": "mmr"}, False)]
    assert BundlePolicy(Lists("p"), None, {}).distributions([shown("b", 0.7)], [1], PATIENT) == [[{}]]


def test_a_bundle_may_explore_as_well():
    exploration = {"exploration": {"slots": [1], "epsilon": 0.5}}
    lists = Lists("p", "q", "r", "s")
    found = BundlePolicy(lists, None, exploration).distributions([shown("b", 0.7)], [0, 1], PATIENT)
    assert found == [[{"p": 1.0}, {"q": 0.5, "r": 0.25, "s": 0.25}]]
    assert lists.asked[0][3] is True
    assert BundlePolicy(Lists("p", "q"), None, exploration).distributions([shown("b", 0.7)], [1], PATIENT) == [
        [{"q": 1.0}]
    ]
    two = {"exploration": {"slots": [0, 1], "epsilon": 0.5}}
    few = BundlePolicy(Lists("p", "q", "r"), None, two).distributions([shown("b", 0.7)], [0, 1], PATIENT)
    assert few == [[{"p": 0.5, "r": 0.5}, {"q": 1.0}]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 3}, "leave k out"),
        ({"colour": "red"}, "may be k, filters"),
        ({"exploration": {"slots": [1], "method": "thompson"}}, "choose uniform"),
    ],
)
def test_options_that_cannot_be_judged_are_refused(options, message):
    with pytest.raises(ExperimentError, match=message):
        BundlePolicy(Lists(), None, options)
