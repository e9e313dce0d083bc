import json

import pytest

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.experiment_json import experiment_from_dict, experiment_from_json, experiment_to_json
from recsys.experiments.metric import Guardrail, Metric


@pytest.fixture
def experiment():
    return Experiment(
        id="grün",
        salt="s",
        variants=[
            Variant("control", 0.9),
            Variant("mmr", 0.1, bundle="b", list_options={"diversity": "mmr", "filters": {"year": {"gte": 1990}}}),
        ],
        buckets=[(3, 5), (0, 2)],
        status="paused",
        metrics=[Metric("ctr", "click", kind="ratio", denominator="exposures"), Metric("late", "late", better="lower")],
        guardrails=[Guardrail("late", better="lower", limit=0.1), Guardrail("ctr", relative_tolerance=0.02)],
        overrides={"7": "mmr"},
        exposure_window_hours=48,
    )


def test_an_experiment_survives_json(experiment):
    assert experiment_from_json(experiment_to_json(experiment)) == experiment


def test_mappings_survive_json(experiment):
    read = experiment_from_json(experiment_to_json(experiment))
    assert dict(read.overrides) == {"7": "mmr"}
    assert read.variants[1].list_options == {"diversity": "mmr", "filters": {"year": {"gte": 1990}}}


def test_what_is_left_out_has_its_default():
    written = {"id": "a", "salt": "s", "variants": [{"name": "control", "share": 0.5}, {"name": "b", "share": 0.5}]}
    assert experiment_from_dict(written) == Experiment("a", "s", [Variant("control", 0.5), Variant("b", 0.5)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"varants": []}, "keys of an experiment are id, salt.*; varants came as well"),
        ({"variants": {}}, "variants must be a list; dict came"),
        ({"variants": ["control"]}, "a variant must be a mapping"),
        ({"variants": [{"name": "control"}]}, "a variant needs share; it is missing"),
        ({"buckets": [[0]]}, "must be two whole numbers"),
        ({"buckets": [[0, 0.5]]}, "must be two whole numbers"),
        ({"buckets": 7}, "buckets must be a list; int came"),
        ({"overrides": ["7"]}, "overrides must be a mapping"),
    ],
    ids=["key", "no-list", "no-mapping", "missing", "one-bound", "fraction", "number", "overrides"],
)
def test_a_wrong_text_is_explained(experiment, change, message):
    written = json.loads(experiment_to_json(experiment)) | change
    with pytest.raises(ExperimentError, match=message):
        experiment_from_dict(written)


def test_what_is_no_json_is_refused():
    with pytest.raises(ExperimentError, match="must be written in JSON"):
        experiment_from_json("{id: 1}")
    with pytest.raises(ExperimentError, match="an experiment must be a mapping"):
        experiment_from_json("[]")
