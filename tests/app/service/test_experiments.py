import pytest

from app.service.errors import ServiceRefused
from app.service.experiments import ExperimentApi, variants_of

DEFINITION = {
    "variants": [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5}],
    "metrics": [{"name": "clickers", "event": "click"}],
}


def test_an_experiment_from_draft_to_stop(api):
    experiments = ExperimentApi(api)
    experiments.create("one", "One", DEFINITION)
    assert variants_of(experiments.all()) == [("one", "control"), ("one", "new")]
    experiments.act("one", "start")
    assert experiments.act("one", "ramp", {"traffic": 0.5})["status"] == "running"
    assert experiments.results("one", 3, 1.0)["num_units"] == {"control": 0, "new": 0}
    experiments.act("one", "stop")
    assert [step["act"] for step in experiments.one("one")["steps"]][-1].endswith("stop")
    assert variants_of(experiments.all()) == []
    with pytest.raises(ServiceRefused):
        experiments.act("one", "start")


def test_planning_and_judging(api):
    experiments = ExperimentApi(api)
    planned = experiments.power({"rate": 0.1, "relative_change": 0.1})
    assert planned["always_valid"] > planned["fixed_horizon"] > 1_000
    with pytest.raises(ServiceRefused, match="lists that explored"):
        experiments.off_policy({"policy": {"epsilon": 0}})
