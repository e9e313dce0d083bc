import pytest

from recsys.errors import DataError, SourceError
from recsys.runs.updating.update_errors import in_words_of_update


def told(error):
    with pytest.raises(type(error)) as found, in_words_of_update():
        raise error
    return str(found.value)


def test_columns_are_settings_of_an_update():
    assert told(DataError("Say which it is with data.columns.user=NAME.")) == "Say which it is with columns.user=NAME."


def test_settings_that_an_update_does_not_have_are_said_to_be_kept():
    said = told(DataError("Correct the data, or set preparation.invalid_rows=drop."))
    assert said.endswith("with others, train anew on all data.")
    assert told(SourceError("x.csv cannot be read")) == "x.csv cannot be read"
