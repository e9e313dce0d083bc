from dataclasses import fields

import pytest

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Variant
from recsys.experiments.exploration import ExplorationPolicy
from recsys.experiments.variant_options import EXPLORATION, OPTIONS, check_options, exploration_of
from recsys.runtime.request import RecommendationRequest


def test_options_are_those_of_a_request():
    assert set(OPTIONS) - {EXPLORATION} <= {field.name for field in fields(RecommendationRequest)}


def test_options_that_a_request_reads_are_taken():
    options = {
        "k": 20,
        "filters": {"year": {"gte": 1990}},
        "diversity": "mmr",
        "diversity_weight": 0.5,
        "exclude_seen": {"after_days": 30},
        "exploration": {"slots": [3], "epsilon": 0.2, "method": "thompson"},
    }
    assert Variant("b", 0.5, list_options=options).list_options == options
    RecommendationRequest(user_id="1", **{name: value for name, value in options.items() if name != EXPLORATION})
    assert exploration_of(options) == ExplorationPolicy([3], 0.2, "thompson")
    assert exploration_of({}) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"diversty": "mmr"}, "list_options of variant 'b' may be k, filters, .*; diversty came as well"),
        ({"filters": {"year": {"above": 1990}}}, "list_options of variant 'b' cannot be read: "),
        ({"exclude_seen": "sometimes"}, "list_options of variant 'b' cannot be read: "),
        ({"diversity_weight": 2}, "diversity_weight in list_options of variant 'b' must be from 0 to 1"),
        ({"k": 0}, "k in list_options of variant 'b' must be a whole number above 0; 0 came"),
        ({"exploration": 0.1}, "exploration must be a mapping"),
        ({"exploration": {"slot": 4}}, "exploration cannot be read from"),
        ({"exploration": {"epsilon": 7}}, "epsilon must be from 0 to 1"),
    ],
    ids=["name", "filters", "seen", "weight", "k", "no-mapping", "field", "epsilon"],
)
def test_options_that_would_fail_later_are_refused_now(options, message):
    with pytest.raises(ExperimentError, match=message):
        check_options("b", options)
