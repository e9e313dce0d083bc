import warnings

import pytest

from recsys.data.readers.delimited import ColumnTypeError
from recsys.errors import DataError, DataWarning, RunError, SourceError
from recsys.runs.updating.update_errors import in_words_of_update, warnings_in_words_of_update


def told(error):
    with pytest.raises(type(error)) as found, in_words_of_update():
        raise error
    return str(found.value)


def test_columns_are_settings_of_an_update():
    assert told(DataError("Say which it is with data.columns.user=NAME.")) == "Say which it is with columns.user=NAME."


def test_settings_that_an_update_does_not_have_are_said_to_be_kept():
    said = told(DataError("Correct the data, or set preparation.invalid_rows=drop."))
    assert said.endswith("for others, train anew on all data.")
    assert told(SourceError("x.csv cannot be read")) == "x.csv cannot be read"


def test_settings_that_an_update_has_are_named_as_it_has_them():
    assert told(RunError("trainer.accelerator must be cpu; it is x.")) == "accelerator must be cpu; it is x."
    assert told(RunError("Choose another paths.runs_dir.")) == "Choose another runs_dir."
    assert told(DataError("Set data.day_first=true.")) == "Set day_first=true."


def test_errors_that_are_made_of_more_than_a_message_are_told():
    error = ColumnTypeError("must hold numbers: data.columns.rating=NAME", "stars")
    assert told(error) == "must hold numbers: columns.rating=NAME" and error.column == "stars"


def test_warnings_are_told_in_the_same_words():
    with pytest.warns(DataWarning, match="^Say which it is with day_first=true"), warnings_in_words_of_update():
        warnings.warn("Say which it is with data.day_first=true.", DataWarning, stacklevel=1)


def test_warnings_do_not_leave_the_reader_with_a_setting_that_an_update_does_not_have():
    with pytest.warns(DataWarning, match=r"repeats=keep keeps them\. An update keeps the settings"):
        with warnings_in_words_of_update():
            warnings.warn("preparation.repeats=keep keeps them.", DataWarning, stacklevel=1)
