from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.tables.list_texts import find_separator, parse_lists, suspect_separator


def _column(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("['War', 'Drama']", ["War", "Drama"]),
        ('["War", "Drama"]', ["War", "Drama"]),
        ("['War' 'Drama'\n 'Crime']", ["War", "Drama", "Crime"]),  # as NumPy writes it
        ("['a b' ' ' \"c' 'd\"]", ["a b", " ", "c' 'd"]),
        ("[1, 2.5, true]", ["1", "2.5", "true"]),
        ("[{'id': 28, 'name': 'Action'}, {'id': 12, 'name': \"L'amour\"}]", ["Action", "L'amour"]),
        (" ['a', ''] ", ["a"]),
    ],
)
def test_lists_in_text_are_parsed(text: str, values: list[str]) -> None:
    lists = parse_lists(_column(text, "[]", "", None))
    assert lists is not None
    assert lists.to_pylist() == [values, [], None, None]


@pytest.mark.parametrize(
    "values",
    [
        ["['a']", "b"],
        ["[REC]", "[sic]"],
        ["['a', ['b']]"],
        ["[open('x')]"],
        ["[" * 10_000 + "]"],
        ["", None],
        ["[]"],
    ],
)
def test_other_text_is_no_list(values: list[str | None]) -> None:
    assert parse_lists(_column(*values)) is None


@given(st.lists(st.lists(st.text(min_size=1, max_size=8), min_size=1), min_size=1, max_size=4))
def test_what_python_writes_is_read_back(lists: list[list[str]]) -> None:
    parsed = parse_lists(_column(*(str(values) for values in lists)))
    assert parsed is not None
    assert parsed.to_pylist() == lists


def test_a_separator_divides_short_values_that_recur() -> None:
    genres = ("Drama|War", "Comedy", "Comedy|Drama", "War", None, "War")
    assert find_separator(_column(*genres)) == "|"
    assert find_separator(_column(*(genre and genre.replace("|", "; ") for genre in genres))) == ";"
    assert suspect_separator(_column(*(genre and genre.replace("|", ", ") for genre in genres))) == ","


@pytest.mark.parametrize(
    "values",
    [
        ("Drama, Comedy", "Comedy", "Drama", "War,Drama", "Comedy, War", "War", None, ""),
        ("rot,blau", "blau", "rot", "blau,grün", "grün, rot", "rot, ", "grün"),
        ("Nordic Noir, Crime", "Crime", "Crime, Nordic Noir", "Nordic Noir", "Crime, Nordic Noir"),
        ("Drama, Comedy", "Comedy", "Drama", "War,Drama", "Comedy, War", "War", "Drama, Western", *["Comedy, War"] * 9),
    ],
)
def test_a_comma_divides_a_small_vocabulary_in_any_order(values: tuple[str | None, ...]) -> None:
    assert find_separator(_column(*values)) == ","


@pytest.mark.parametrize(
    "values",
    [
        ("King, Stephen", "Christie, Agatha", "King, Stephen", "Christie, Agatha") * 3,
        ("Paris, France", "Lyon, France", "Paris, France", "Rome, Italy", "Rome, Italy") * 3,
        ("Paris, Texas", "Paris", "Texas", "Berlin", "Drama, Comedy", "Comedy, Paris"),  # little of it recurs
        ("1,5", "2,5", "1,5", "5", "2", "1") * 3,  # decimal commas
        ("S, M, L", "S, M, L", "S, M, L"),  # always in one order
        ("Yes, of course", "No, never", "Yes", "No"),
    ],
)
def test_a_comma_inside_values_divides_nothing(values: tuple[str, ...]) -> None:
    assert find_separator(_column(*values)) is None


@pytest.mark.parametrize(
    "values",
    [
        ("a|b", "c|d"),  # nothing recurs
        ("a", "a", "b", "b"),  # nothing is divided
        ("x" * 60 + "|b", "x" * 60 + "|b", "x" * 60 + "|b"),  # a phrase
    ],
)
def test_other_text_has_no_separator(values: tuple[str, ...]) -> None:
    assert find_separator(_column(*values)) is None
