from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from recsys.cli.configuration import compose_config
from recsys.data.interactions import Interactions
from recsys.errors import RunError
from recsys.studies.tuning.search_space import Choices, Range, SearchSpace

CONFIGS = Path(__file__).parents[3] / "configs"


class Middle:
    """Draws the middle of each range and the last choice, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def suggest_float(self, name, low, high, *, log=False):
        self.asked[name] = (low, high, log)
        return (low * high) ** 0.5 if log else (low + high) / 2

    def suggest_int(self, name, low, high, *, log=False):
        self.asked[name] = (low, high, log)
        return (low + high) // 2

    def suggest_categorical(self, name, choices):
        self.asked[name] = choices
        return choices[-1]


def space(content: Any) -> SearchSpace:
    return SearchSpace.of(OmegaConf.create(content), "toy")


def test_nested_settings_become_overrides():
    found = space({"model": {"l2": {"low": 1, "high": 9}}, "loss": {"choices": ["bpr", "logistic"]}})
    assert found.parameters == {"model.l2": Range(1, 9), "loss": Choices(("bpr", "logistic"))}


def test_values_are_drawn_as_they_are_written_on_the_command_line():
    found = space(
        {
            "l2": {"low": 1.0, "high": 100.0, "log": True},
            "lr": {"low": 0.0, "high": 0.2468101},
            "dim": {"low": 8, "high": 12, "int": True},
            "hidden": {"choices": [[64], [64, 32]]},
            "columns": {"choices": [None, {"genres": 1, "title": 0.5}]},
            "half_life": {"choices": [30, None]},
        }
    )
    trial = Middle()
    # four digits: 0.12340505 is 0.1234
    assert found.draw(trial) == {
        "l2": "10.0",
        "lr": "0.1234",
        "dim": "10",
        "hidden": "[64,32]",
        "columns": "{genres:1,title:0.5}",
        "half_life": "null",
    }
    assert trial.asked["l2"] == (1.0, 100.0, True)
    assert trial.asked["hidden"] == ["[64]", "[64,32]"]


def test_the_start_has_what_the_configuration_has_where_it_could_be_drawn():
    found = space({"model": {"l2": {"low": 1, "high": 9}, "k": {"choices": [[1], [2]]}, "b": {"low": 1, "high": 2}}})
    assert found.start(OmegaConf.create({"model": {"l2": 5.0, "k": [2], "b": 7}})) == {
        "model.l2": 5.0,
        "model.k": "[2]",
    }
    assert found.start(OmegaConf.create({"model": {"l2": None}})) == {}


def made(**columns):
    return Interactions(np.zeros(1, np.int32), np.zeros(1, np.int32), *(columns.get(name) for name in COLUMNS), 1, 1)


COLUMNS = ("rating", "timestamp", "fold")
NEEDS = {
    "l2": {"low": 1, "high": 9},
    "above": {"choices": [None, "mean"], "default": None, "needs": "rating"},
    "decay": {"low": 0.5, "high": 1.0, "needs": "timestamp"},
}


def test_settings_without_a_meaning_for_the_data_are_left_out():
    rating, timestamp = np.ones(1, np.float32), np.ones(1, np.int64)
    assert list(space(NEEDS).for_data(made(), "toy").parameters) == ["l2"]
    assert list(space(NEEDS).for_data(made(rating=rating), "toy").parameters) == ["l2", "above"]
    assert list(space(NEEDS).for_data(made(timestamp=timestamp), "toy").parameters) == ["l2", "decay"]


def test_a_search_of_nothing_with_a_meaning_is_refused():
    found = space({"decay": NEEDS["decay"]})
    with pytest.raises(RunError, match=r"none of toy has a meaning for these data: decay needs a timestamp"):
        found.for_data(made(), "toy")
    assert found.meaningful(made()).parameters == {}


def test_a_need_that_is_no_column_is_refused():
    with pytest.raises(RunError, match=r"search.decay.needs must be rating or timestamp, but it is price"):
        space({"decay": NEEDS["decay"] | {"needs": "price"}})


@pytest.mark.parametrize("content", [None, {}, {"model": {}}])
def test_nothing_to_search_is_refused(content):
    with pytest.raises(RunError, match="there are none for toy. Write configs/search/toy.yaml"):
        SearchSpace.of(None if content is None else OmegaConf.create(content), "toy")


@pytest.mark.parametrize(
    "content",
    [
        {"l2": 5},
        {"l2": {"low": 5}},
        {"l2": {"low": 5, "high": 1}},
        {"l2": {"low": 1, "high": 5, "step": 1}},
        {"l2": {"choices": []}},
        {"l2": {"choices": [1], "low": 1}},
        {"l2": {"low": "a", "high": "b"}},
    ],
)
def test_what_is_neither_a_range_nor_choices_is_refused(content):
    with pytest.raises(RunError, match=r"search.l2 must be a range .* but it is"):
        space(content)


def test_a_logarithm_of_zero_is_refused():
    with pytest.raises(RunError, match="search.l2: a logarithmic range starts above 0, but low is 0"):
        space({"l2": {"low": 0, "high": 1, "log": True}})


@pytest.mark.parametrize("name", ["data", "split", "preparation", "evaluation"])
def test_what_all_trials_share_cannot_be_searched(name):
    with pytest.raises(
        RunError, match=f"All trials share their data, split and evaluation, but {name}.seed is searched"
    ):
        space({name: {"seed": {"choices": [1, 2]}}})


@pytest.mark.parametrize("model", sorted(path.stem for path in (CONFIGS / "search").glob("*.yaml")))
def test_every_search_space_has_settings_of_its_model(model):
    found = SearchSpace.of(compose_config("tune", overrides=[f"model={model}", "name=toy"]).search, model)
    # Unknown settings and choices do not compose.
    overrides = [f"{name}={value}" for name, value in found.draw(Middle()).items()]
    assert compose_config("train", overrides=[f"model={model}", *overrides])


def test_every_model_that_has_a_setting_has_a_search():
    spaces, models = ({path.stem for path in (CONFIGS / group).glob("*.yaml")} for group in ("search", "model"))
    assert models - spaces == {"random"}


@pytest.mark.parametrize(
    ("model", "settings"),
    [  # best on sparse data: a catalogue of 41,000 items, and one with several neighbours of each user's items
        ("ials", {"model.embedding_dim": 1024, "model.unobserved_weight": 0.015, "model.l2": 0.005}),
        ("item_knn", {"model.num_neighbours": 1000, "model.similarity.alpha": 0.3}),
    ],
)
def test_what_was_best_on_sparse_data_can_be_drawn(model, settings):
    found = SearchSpace.of(OmegaConf.load(CONFIGS / "search" / f"{model}.yaml"), model).parameters
    assert {name: found[name].start(value) for name, value in settings.items()} == settings
