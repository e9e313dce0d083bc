import math

import pytest

from recsys.errors import ExperimentError
from recsys.experiments.metric import Guardrail, Metric


def test_a_ratio_needs_a_denominator_and_nothing_else_may_have_one():
    assert Metric("ctr", "click", kind="ratio", denominator="exposures").denominator == "exposures"
    with pytest.raises(ExperimentError, match="a ratio, and nothing else, has a denominator; metric 'ctr' is a ratio"):
        Metric("ctr", "click", kind="ratio")
    with pytest.raises(ExperimentError, match="metric 'clicks' is a mean with the denominator 'view'"):
        Metric("clicks", "click", kind="mean", denominator="view")


def test_a_rate_does_not_add_up_values():
    with pytest.raises(ExperimentError, match="make it a mean"):
        Metric("buyers", "purchase", sum_values=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": " "}, "a metric needs a name"),
        ({"event": ""}, "the event of metric 'm' needs a name"),
        ({"kind": "median"}, "must be one of rate, mean, ratio; 'median' came"),
        ({"better": "up"}, "must be one of higher, lower; 'up' came"),
    ],
    ids=["name", "event", "kind", "better"],
)
def test_a_wrong_value_of_a_metric_is_named(values, message):
    with pytest.raises(ExperimentError, match=message):
        Metric(**{"name": "m", "event": "click"} | values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "either relative_tolerance or limit"),
        ({"relative_tolerance": 0.1, "limit": 3.0}, "either relative_tolerance or limit"),
        ({"relative_tolerance": 1.0}, "must be below 1"),
        ({"relative_tolerance": -0.1}, "from 0 to 1; -0.1 came"),
        ({"relative_tolerance": "a bit"}, "must be a number; 'a bit' came"),
        ({"limit": math.nan}, "must be a number; nan came"),
        ({"limit": True}, "must be a number; True came"),
    ],
    ids=["none", "both", "one", "negative", "text", "nan", "truth"],
)
def test_a_wrong_guardrail_is_refused(values, message):
    with pytest.raises(ExperimentError, match=message):
        Guardrail("errors", **values)


def test_a_guardrail_may_tolerate_nothing():
    assert Guardrail("clicks", relative_tolerance=0.0).limit is None
