from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter
from recsys_serving.api.schemas.experiment_definition import ExperimentDefinition

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.experiment_json import experiment_from_dict, experiment_to_dict
from recsys.experiments.metric import Guardrail, Metric

SCHEMA = TypeAdapter(ExperimentDefinition).json_schema()
VARIANTS = [{"name": "control", "share": 0.5}, {"name": "diverse", "share": 0.5, "list_options": {"diversity": "mmr"}}]


def test_what_the_rules_write_is_as_described():
    written = experiment_to_dict(
        Experiment(
            "one",
            "salt",
            [Variant("a", 0.5), Variant("b", 0.5, bundle="second")],
            buckets=[(0, 100), (200, 300)],
            metrics=[Metric("clicks", "click"), Metric("rate", "click", "ratio", "exposures")],
            guardrails=[Guardrail("clicks", relative_tolerance=0.1)],
            overrides={"ann": "b"},
        )
    )
    jsonschema.validate(written, SCHEMA)


def test_every_field_of_the_rules_is_described():
    assert set(SCHEMA["properties"]) == set(Experiment.__dataclass_fields__)
    for name, part in {"variants": Variant, "metrics": Metric, "guardrails": Guardrail}.items():
        assert set(SCHEMA["properties"][name]["items"]["properties"]) == set(part.__dataclass_fields__)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"variants": VARIANTS[:1]},
        {"variants": [{"name": "control"}, VARIANTS[1]]},
        {"variants": [{"name": " ", "share": 0.5}, VARIANTS[1]]},
        {"variants": [{"name": "control", "share": 2}, VARIANTS[1]]},
        {"variants": VARIANTS, "colour": "red"},
        {"variants": VARIANTS, "unit": "household"},
        {"variants": VARIANTS, "buckets": [[0]]},
        {"variants": VARIANTS, "buckets": [[0, 10_001]]},
        {"variants": VARIANTS, "metrics": [{"name": "clicks"}]},
        {"variants": VARIANTS, "metrics": [{"name": "clicks", "event": "click", "kind": "median"}]},
        {"variants": VARIANTS, "guardrails": [{"better": "higher"}]},
        {"variants": VARIANTS, "overrides": {"ann": 1}},
        {"variants": VARIANTS, "exposure_window_hours": -1},
    ],
)
def test_what_the_description_excludes_is_refused_by_the_rules(wrong: dict[str, Any]):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)
    with pytest.raises(ExperimentError):
        experiment_from_dict({"id": "one", "salt": "salt", **wrong})
