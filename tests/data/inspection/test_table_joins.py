from __future__ import annotations

import warnings

import pyarrow as pa
import pytest

from recsys.data.inspection.table_joins import TableJoin, join
from recsys.errors import DataError, DataWarning


def _ids(*ids: str) -> pa.StringArray:
    return pa.array(ids, pa.string())


def test_ids_are_counted() -> None:
    found = join("items", _ids("a", "b", "d"), _ids("a", "b", "c"))
    assert found == TableJoin("items", num_ids=3, num_matched=2, num_rows=3)
    assert str(found) == "2 of 3 items have a row in the items table (66.7%); 1 of its 3 rows have no interaction"
    assert str(join("users", _ids("a"), _ids("a"))) == "1 of 1 users have a row in the users table (100.0%)"


@pytest.mark.parametrize(
    ("mine", "theirs", "reason"),
    [
        ("15.0", "15", r"Without '\.0' at the end of ids \(whole numbers that became fractions\) 1 more would match"),
        ("007", "7", "Without leading zeros 1 more would match"),
        (
            "u1 ",
            "u1",
            r"Without white space around ids 1 more would match\. Write .*, or set preparation\.strip_ids=true",
        ),
        ("a", "b", r"Name the right column with data\.columns, or leave data\.items out"),
    ],
)
def test_a_table_that_matches_nobody_is_refused(mine: str, theirs: str, reason: str) -> None:
    message = (
        rf"row for none of the 1 items of the interactions: ids there are such as '{mine}', .* '{theirs}'\. {reason}"
    )
    with pytest.raises(DataError, match=message):
        join("items", _ids(theirs), _ids(mine))


def test_an_empty_table_matches_nobody() -> None:
    with pytest.raises(DataError, match="ids in the table such as None"):
        join("items", _ids(), _ids("a"))


def test_few_matches_are_warned_of_with_the_share() -> None:
    with pytest.warns(DataWarning, match=r"^1 of 4 users have a row in the users table \(25\.0%\).*without one is 'b'"):
        join("users", _ids("a"), _ids("a", "b", "c", "d"))


def test_ids_that_are_written_in_another_way_are_warned_of_however_few() -> None:
    ids = [str(number) for number in range(100, 200)]
    with pytest.warns(
        DataWarning,
        match=r"Without leading zeros 1 more would match, such as '007' and '7'\. Write the ids in one way\.$",
    ):
        join("items", _ids(*ids, "7"), _ids(*ids, "007"))
    with pytest.warns(DataWarning, match=r"such as ' x' and 'x'\. Write .* or set preparation\.strip_ids=true"):
        join("items", _ids(*ids, "x"), _ids(*ids, " x"))


def test_half_of_the_ids_is_enough() -> None:
    with warnings.catch_warnings(record=True) as caught:
        join("users", _ids("a", "b"), _ids("a", "b", "c", "d"))
    assert not caught
