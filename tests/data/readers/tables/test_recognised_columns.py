from __future__ import annotations

import re
from datetime import date, datetime

import pyarrow as pa
import pytest

from recsys.data.readers.tables.recognised_columns import as_days, parse_truth_values, recognise_columns
from recsys.data.readers.tables.text_forms import TextForms
from recsys.errors import DataError


def _table(**columns: list[object]) -> pa.Table:
    return pa.table({"item_id": ["1", "2", "3", "4"], **columns})


def test_columns_are_read_as_what_they_hold() -> None:
    table = _table(
        title=["['a']", "['b']", "[]", "[]"],
        gone=["True", "FALSE", "", "true"],
        since=["2024-05-31", None, "2024-06-01", ""],
        genres=["['War']", "[]", "['Drama', 'War']", ""],
        tags=["a|b", "a", "b", "a|b"],
        meta=[{"year": 1990}, {"year": 1991}, None, None],
        made=pa.array([datetime(2024, 1, 1), None, None, None], pa.timestamp("ns")),
    )
    recognised = recognise_columns(table, "item_id", ())
    assert recognised.table.to_pydict() == {
        "item_id": ["1", "2", "3", "4"],
        "title": ["['a']", "['b']", "[]", "[]"],
        "gone": [True, False, None, True],
        "since": [date(2024, 5, 31), None, date(2024, 6, 1), None],
        "genres": [["War"], [], ["Drama", "War"], None],
        "tags": ["a|b", "a", "b", "a|b"],
        "meta.year": [1990, 1991, None, None],
        "made": [date(2024, 1, 1), None, None, None],
    }
    assert recognised.separators == {"tags": "|"}
    assert sorted(note.split()[0] for note in recognised.notes) == ["genres", "gone", "meta", "since", "tags"]


def test_what_is_declared_is_left_to_the_declaration() -> None:
    table = _table(gone=["true"] * 4, tags=["a|b"] * 4)
    recognised = recognise_columns(table, "item_id", ("gone", "tags"))
    assert recognised.table.equals(table)
    assert (recognised.separators, recognised.notes) == ({}, ())


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (["3/12/2024", "1/2/2024", "", ""], "day seems to hold dates, of which nothing tells.*data.day_first=true or"),
        (["a, b", "a", "a", "a, b"], r"day may hold several values.*'data\.list_separators={day: \",\"}' divides them"),
    ],
)
def test_doubts_are_told(values: list[object], hint: str) -> None:
    recognised = recognise_columns(_table(day=values), "item_id", ())
    (note,) = recognised.notes
    assert re.search(hint, note)
    assert recognised.table["day"].to_pylist() == values


def test_what_the_user_says_of_text_counts() -> None:
    table = _table(
        tags=["a, b", "a", "b", "a, b"], maker=["x|y", "x", "y", "x|y"], day=["3/12/2024", "1/2/2024", "", None]
    )
    forms = TextForms(False, {"tags": ",", "maker": None})
    recognised = recognise_columns(table, "item_id", (), forms)
    assert recognised.separators == {"tags": ","}
    assert recognised.table["day"].to_pylist() == [date(2024, 3, 12), date(2024, 1, 2), None, None]
    assert recognised.notes == ("day is read as dates, the month first",)


def test_numbers_have_no_separator() -> None:
    with pytest.raises(DataError, match="of the column 'year', but it is of type int64. Leave it out"):
        recognise_columns(_table(year=[1, 2, 3, 4]), "item_id", (), TextForms(None, {"year": ","}))


def test_commas_between_genres_are_told_with_how_to_keep_the_text() -> None:
    genres = ["Drama, Comedy", "Comedy", "Drama", "Comedy, Drama, War", "War", "War, Drama", "Comedy, War"] * 2
    table = pa.table({"item_id": [str(row) for row in range(14)], "genres": genres})
    recognised = recognise_columns(table, "item_id", ())
    assert recognised.separators == {"genres": ","}
    (note,) = recognised.notes
    assert "separated by ','; 'data.list_separators={genres: null}' keeps each text as one value" in note


def test_truth_values_are_all_or_none() -> None:
    column = pa.chunked_array([["true", "yes"]])
    assert parse_truth_values(column) is None
    assert parse_truth_values(pa.chunked_array([["", None]], pa.string())) is None


def test_times_within_a_day_stay_times() -> None:
    column = pa.chunked_array([pa.array([datetime(2024, 1, 1), datetime(2024, 1, 1, 12)])])
    assert as_days(column) is None
    assert as_days(column.slice(1, 0)) is None
