from pathlib import Path

import pytest

from recsys.errors import ModelError, RunError
from recsys.studies.elicitation.measuring import (
    CHOSEN,
    EVERYTHING,
    POPULAR,
    RANDOM,
    STEP_BY_STEP,
    ElicitationMeasurement,
)
from recsys.studies.elicitation.simulation import Simulated
from tests.studies.small_study import study_config

#: Of the 60 items that are asked for, these have interactions.
NUM_ITEMS = 51


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    """Data are prepared once."""
    return tmp_path_factory.mktemp("elicitation")


def measurement(directory: Path, *overrides: str) -> ElicitationMeasurement:
    small = ("model=ease", "questions=[3,1,3]", "num_components=2", "split.test_ratio=0.3")
    return ElicitationMeasurement(study_config("simulate_elicitation", directory, *small, *overrides))


@pytest.fixture(scope="module")
def results(directory) -> list[Simulated]:
    return list(measurement(directory).results(print_line=lambda line: None))


def test_each_way_asks_each_number_of_questions_once(results):
    assert [(result.strategy, result.num_questions) for result in results] == [
        *((way, number) for way in (POPULAR, RANDOM, CHOSEN, STEP_BY_STEP) for number in (1, 3)),
        (EVERYTHING, NUM_ITEMS),
    ]


def test_all_ways_ask_the_same_users(results):
    assert len({len(result.values) for result in results}) == 1
    assert len(results[0].values) > 5


def test_popular_items_are_known_to_more_than_random_ones(results):
    known = {(result.strategy, result.num_questions): result.num_known for result in results}
    assert known[POPULAR, 3] > known[RANDOM, 3]
    assert known[POPULAR, 1] < known[POPULAR, 3] < known[EVERYTHING, NUM_ITEMS]


def test_the_same_seed_asks_the_same(directory, results):
    again = list(measurement(directory).results(print_line=lambda line: None))
    assert [result.values.tolist() for result in again] == [result.values.tolist() for result in results]


def test_it_says_which_model_learns_from_the_answers(directory):
    assert measurement(directory).model_name == "EASE"


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (["questions=[]"], RunError, r"questions must be whole numbers of at least 1, but they are \[\]"),
        (["questions=[0,5]"], RunError, r"questions must be whole numbers of at least 1, but they are \[0, 5\]"),
        (["stage=train"], RunError, "stage must be valid or test, but it is train. Choose one"),
        (["resume=runs/x"], RunError, "cannot be resumed. Leave resume out"),
        (["model=mf"], ModelError, "folds in unseen users is required to learn from answers, and MF is none"),
        (["model=item_knn_ratings"], ModelError, "A model of likes .* is required"),
        (["split=random_ratio", "~split.given_ratio"], RunError, "Something must be given .* Use split=cold_users"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_simulated_is_refused(directory, overrides, error, message):
    with pytest.raises(error, match=message):
        measurement(directory, *overrides)
