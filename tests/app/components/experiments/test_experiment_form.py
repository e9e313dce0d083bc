import pytest

from app.components.experiments.experiment_form import AS_IT_IS, LIVE, definition_of, experiment_id_of, options_text
from recsys.experiments.experiment_json import experiment_from_dict

PLAIN = {"bundle": LIVE, "diversity": AS_IT_IS, "weight": 0.3, "column": None, "k": 0, "epsilon": 0.0, "slot": 5}
CHOSEN = {
    "control": PLAIN,
    "treatment": {**PLAIN, "bundle": "two", "diversity": "mmr", "column": "genres", "k": 5, "epsilon": 0.2},
    "share": 0.3,
    "event": " click ",
    "kind": "ratio",
    "better": "higher",
    "tolerance": 5.0,
    "exposure_hours": 2.0,
    "attribution_hours": 1.0,
}


@pytest.mark.parametrize("kind", ["rate", "mean", "ratio"])
def test_what_is_chosen_is_a_definition_by_the_rules(kind):
    definition = definition_of({**CHOSEN, "kind": kind})
    experiment = experiment_from_dict({**definition, "id": "one", "salt": "salt"})
    assert experiment.shares == {"control": 0.7, "treatment": 0.3}
    assert experiment.variants[0].list_options == {} and experiment.variants[1].bundle == "two"
    assert experiment.variants[1].list_options["exploration"] == {"slots": [4], "epsilon": 0.2}
    assert experiment.metrics[0].event == "click" and experiment.guardrails[0].relative_tolerance == 0.05


def test_without_a_tolerance_there_is_no_guardrail():
    assert "guardrails" not in definition_of({**CHOSEN, "tolerance": 0.0})


def test_ids_are_made_of_names_and_variants_are_told_in_words():
    assert experiment_id_of("More diverse lists!") == "more-diverse-lists" and experiment_id_of("¡!") == ""
    variants = definition_of(CHOSEN)["variants"]
    assert options_text(variants[0]) == "as everybody has it"
    exploring = {"name": "t", "list_options": {"exploration": {"slots": [4], "epsilon": 0.3}}}
    assert options_text(exploring) == "explores at rank 5 with probability 0.3"
    assert options_text(variants[1]).startswith("bundle two, diversity mmr, diversity weight 0.3")
