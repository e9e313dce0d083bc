import pandas as pd
import pytest

from recsys.api.training_part import training_part
from recsys.errors import DataError


def test_all_of_a_data_set(data):
    part = training_part(data, has_epochs=False)
    assert [len(part.split.train), len(part.split.test)] == [300, 0] and part.settings == {}


def test_epochs_that_are_given_are_made_on_everything(data):
    part = training_part(data, has_epochs=True, epochs=3)
    assert len(part.split.train) == 300 and part.settings == {"refit_epochs": 3}


def test_epochs_that_are_not_given_are_chosen_on_validation_first(data):
    part = training_part(data, has_epochs=True)
    assert len(part.split.valid) > 0 and part.settings == {"refit": "all"}


def test_the_parts_of_a_split(split):
    parts = [split.train, split.train_with_valid, split.everything]
    assert [training_part(part, True).settings["refit"] for part in parts] == [False, True, "all"]
    assert all(training_part(part, True).split is split for part in parts)
    assert training_part(split, True).settings == {}


def test_what_is_held_out_is_refused(split):
    with pytest.raises(DataError, match="but split.test came, which is held out to judge it"):
        training_part(split.test, False)


def test_a_table_is_told_where_to_go():
    with pytest.raises(DataError, match=r"but a DataFrame came. Make one of it: recsys.Dataset.from_pandas\(table\)"):
        training_part(pd.DataFrame({"user_id": [1]}), False)
    with pytest.raises(DataError, match="but a int came.$"):
        training_part(3, False)
