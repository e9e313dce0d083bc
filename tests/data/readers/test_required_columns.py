from __future__ import annotations

import pytest

from recsys.data.readers.required_columns import require_columns
from recsys.errors import DataError


def test_other_columns_may_be_there_and_repeat() -> None:
    require_columns(["user", "note", "item", "note"], ("user", "item"), "a.csv")
    require_columns([], (), "a.csv")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (["user", "other"], r"a\.csv must have the column 'item', but its columns are 'user', 'other'\. Check"),
        (["other"], r"a\.csv must have the columns 'user', 'item', but its columns are 'other'\."),
        ([], r"must have the columns 'user', 'item', but its columns are none\. .* or correct its header"),
        (["user", "item", "user"], r"a\.csv has more than one column named 'user'\. Rename all but one"),
    ],
)
def test_missing_and_repeated_columns_are_named(found: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        require_columns(found, ("user", "item"), "a.csv")
