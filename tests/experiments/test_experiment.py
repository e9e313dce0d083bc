import pytest

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant, joined_ranges
from recsys.experiments.metric import Guardrail, Metric

CONTROL, TREATMENT = Variant("control", 0.5), Variant("treatment", 0.5, bundle="second")


def experiment(**values):
    return Experiment(**{"id": "home", "salt": "s1", "variants": [CONTROL, TREATMENT]} | values)


def test_the_first_variant_is_control():
    one = experiment()
    assert one.control is CONTROL
    assert one.shares == {"control": 0.5, "treatment": 0.5}
    assert one.variant("treatment").bundle == "second"


def test_the_traffic_is_the_share_of_the_buckets():
    assert experiment(buckets=[(0, 100), (500, 1000)]).traffic_share == pytest.approx(0.06)
    assert experiment(buckets=[]).traffic_share == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variants": [CONTROL]}, "at least two variants, control first; it has 1"),
        ({"variants": [CONTROL, Variant("b", 0.4)]}, "must add up to 1; they add up to 0.9"),
        ({"variants": [CONTROL, CONTROL]}, r"variants of experiment 'home' must have different names; \['control'\]"),
        ({"status": "on"}, "must be one of draft, running, paused, stopped; 'on' came"),
        ({"unit": "request"}, "must be one of user, session"),
        ({"salt": ""}, "the salt of experiment 'home' needs a name"),
        ({"overrides": {"7": "third"}}, "has the variants control, treatment; 'third' is none of them"),
        ({"exposure_window_hours": -1}, "exposure_window_hours of experiment 'home' must be from 0"),
        ({"guardrails": [Guardrail("errors", limit=1.0)]}, "is about 'errors', which is none of its metrics"),
        (
            {"metrics": [Metric("m", "click")], "guardrails": [Guardrail("m", better="lower", limit=1.0)]},
            "make them agree",
        ),
        ({"metrics": [Metric("m", "click"), Metric("m", "view")]}, "metrics of experiment 'home' must have different"),
        ({"buckets": [(5, 5)]}, r"\[5, 5\) came"),
        ({"buckets": [(0, 10_001)]}, r"from 0 to 10000; \[0, 10001\) came"),
        ({"buckets": [(0, 10), (5, 20)]}, "must not overlap"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(ExperimentError, match=message):
        experiment(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": -0.1}, "from 0 to 1; -0.1 came"),
        ({"share": 1.5}, "from 0 to 1; 1.5 came"),
        ({"bundle": ""}, "the bundle of variant 'b' needs a name"),
        ({"list_options": ["mmr"]}, "must be a mapping"),
        ({"list_options": {1: 2}}, "must be a mapping by the names of options"),
        ({"list_options": {"diversty": "mmr"}}, "diversty came as well"),
    ],
    ids=["negative", "above-one", "bundle", "list", "number", "option"],
)
def test_a_wrong_variant_is_refused(values, message):
    with pytest.raises(ExperimentError, match=message):
        Variant(**{"name": "b", "share": 0.5} | values)


def test_what_was_given_cannot_be_changed_afterwards():
    options = {"diversity": "mmr"}
    variant = Variant("b", 0.5, list_options=options)
    options["diversity"] = "calibrated"
    assert variant.list_options["diversity"] == "mmr"
    with pytest.raises(TypeError):
        variant.list_options["diversity"] = "none"


def test_the_status_goes_only_forward():
    running = experiment().with_status("running")
    assert running.with_status("running") == running
    assert running.with_status("paused").with_status("running").with_status("stopped").status == "stopped"
    with pytest.raises(ExperimentError, match="is stopped and cannot be running; what can follow is nothing"):
        running.with_status("stopped").with_status("running")
    with pytest.raises(ExperimentError, match="is draft and cannot be paused; what can follow is running, stopped"):
        experiment().with_status("paused")


def test_ranges_that_go_on_are_joined_in_their_order():
    assert joined_ranges([(10, 20), (20, 30), (0, 10)]) == ((10, 30), (0, 10))
