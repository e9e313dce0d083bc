from __future__ import annotations

import pytest

from recsys.data.readers.tables.text_forms import TextForms
from recsys.errors import DataError


def test_nothing_is_said_unless_it_is() -> None:
    assert TextForms.parse(None, None) == TextForms()
    assert TextForms.parse(True, {"genres": ",", "maker": None}) == TextForms(True, {"genres": ",", "maker": None})


@pytest.mark.parametrize(
    ("day_first", "separators", "message"),
    [
        ("yes", None, "data.day_first must be true, false or null, but is 'yes'"),
        (None, ",", "data.list_separators must say by column what divides"),
        (None, {"genres": ""}, "data.list_separators must say by column"),
        (None, {"genres": 1}, "data.list_separators must say by column"),
    ],
)
def test_other_settings_are_refused(day_first: object, separators: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TextForms.parse(day_first, separators)


def test_columns_must_be_there_and_not_be_declared_elsewhere() -> None:
    forms = TextForms(list_separators={"genres": ","})
    forms.check_columns(["genres", "age"], ["age"])
    with pytest.raises(DataError, match="names the column 'genres', but users and items have the columns 'age'"):
        forms.check_columns(["age"], [])
    with pytest.raises(DataError, match="'genres' of a table whose features are declared"):
        forms.check_columns(["genres"], ["genres"])
