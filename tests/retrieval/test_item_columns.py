from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.item_columns import ItemColumns

TABLE = pa.table(
    {
        "genres": [["Drama", "War"], [], None, ["War", "", "War"]],
        "tags": ["long| slow ", "", None, "slow"],
        "brand": pa.array(["Ace", None, "Bolt", "Ace"]).dictionary_encode(),
        "year": pa.array([1994, None, 1999, 1990]),
        "price": [9.5, float("nan"), 1.0, 2.0],
    }
)
COLUMNS = ItemColumns(TABLE, {"tags": "|"})


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("genres", ["War"], [True, False, False, True]),
        ("genres", ["Drama", "War"], [True, False, False, True]),
        ("tags", ["slow"], [True, False, False, True]),
        ("tags", ["long"], [True, False, False, False]),
        ("brand", ["Bolt"], [False, False, True, False]),
    ],
)
def test_items_with_any_of_the_values(column, values, expected):
    assert COLUMNS.with_any(column, values).tolist() == expected


@pytest.mark.parametrize(
    ("column", "low", "high", "expected"),
    [
        ("year", 1990, 1994, [True, False, False, True]),
        ("year", 1995, None, [False, False, True, False]),
        ("year", None, 1993.5, [False, False, False, True]),
        ("price", None, None, [True, False, True, True]),
    ],
)
def test_a_range_has_its_ends_and_no_missing_number(column, low, high, expected):
    assert COLUMNS.between(column, low, high).tolist() == expected


def test_values_are_coded_once_an_item():
    values = COLUMNS.values("genres")
    assert values.vocabulary == ("Drama", "War")
    assert values.items.tolist() == [0, 0, 3]
    assert values.codes.tolist() == [0, 1, 1]
    assert values.multi_hot().tolist() == [[1, 1], [0, 0], [0, 0], [0, 1]]
    assert values.padded().tolist() == [[0, 1], [-1, -1], [-1, -1], [1, -1]]


def test_a_table_in_chunks_is_one_table():
    columns = ItemColumns(pa.concat_tables([TABLE.slice(0, 2), TABLE.slice(2)]))
    assert columns.with_any("genres", ["War"]).tolist() == [True, False, False, True]
    assert columns.values("brand").items.tolist() == [0, 2, 3]


def test_a_column_without_any_value():
    values = ItemColumns(pa.table({"genres": pa.array([[], []], pa.list_(pa.string()))})).values("genres")
    assert values.multi_hot().shape == (2, 0)
    assert values.padded().shape == (2, 0)


def test_the_columns_that_exist_are_named():
    with pytest.raises(
        RetrievalError, match="no column genre of items. The columns are genres, tags, brand, year, price"
    ):
        COLUMNS.with_any("genre", ["War"])


def test_a_value_that_no_item_has_is_none_s_and_named():
    assert COLUMNS.with_any("genres", ["drama", "Wars"]).tolist() == [False] * 4
    assert COLUMNS.with_any("genres", ["drama", "War"]).tolist() == COLUMNS.with_any("genres", ["War"]).tolist()
    assert COLUMNS.without_item("genres", ["drama", "War", "Wars", "drama"]) == ["drama", "Wars"]
    assert COLUMNS.without_item("year", [1994, 1800]) == ["1800"]
    with pytest.raises(RetrievalError, match="holds values, and such are required, but none came"):
        COLUMNS.with_any("genres", [])


def test_numbers_are_asked_for_by_numbers_and_a_range_needs_them():
    with pytest.raises(RetrievalError, match="holds numbers, so numbers are required"):
        COLUMNS.with_any("year", ["1994"])
    with pytest.raises(RetrievalError, match="brand is of type string. Columns with numbers or dates are year, price"):
        COLUMNS.between("brand", 1, 2)


@pytest.mark.parametrize("ends", [(2, 1), (float("nan"), 1)])
def test_an_empty_range_is_refused(ends):
    with pytest.raises(RetrievalError, match="goes from low to high, but that of year"):
        COLUMNS.between("year", *ends)


def test_masks_can_be_combined():
    assert (COLUMNS.with_any("genres", ["War"]) & COLUMNS.between("year", 1994, None)).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert COLUMNS.between("year", 1, 2).dtype == np.bool_


DATED = ItemColumns(
    pa.table(
        {
            "since": pa.array([date(2024, 5, 30), date(2024, 5, 31), None]),
            "seen": pa.array([datetime(2024, 5, 31, 12), datetime(2024, 6, 1), None], pa.timestamp("ns", "UTC")),
            "gone": [False, False, None],
            "stocked": [1, 0, None],
        }
    )
)


@pytest.mark.parametrize(
    ("column", "low", "high", "expected"),
    [
        ("since", "2024-05-31", None, [False, True, False]),
        ("since", None, "2024-05-30", [True, False, False]),
        ("since", "2024-05-30", "2024-05-31", [True, True, False]),
        ("seen", None, "2024-05-31", [True, False, False]),  # the whole day
        ("seen", "2024-05-31T12:00:01Z", "2024-06-01", [False, True, False]),
    ],
)
def test_ranges_of_dates_are_asked_for_by_dates(
    column: str, low: str | None, high: str | None, expected: list[bool]
) -> None:
    assert DATED.between(column, low, high).tolist() == expected


def test_ranges_of_dates_and_of_numbers_are_not_confused() -> None:
    with pytest.raises(
        RetrievalError, match="since holds dates, so a range needs dates such as '2024-05-31', but 2024"
    ):
        DATED.between("since", 2024, None)
    with pytest.raises(RetrievalError, match="stocked holds numbers, so a range needs numbers, but '2024-05-31' came"):
        DATED.between("stocked", "2024-05-31", None)
    with pytest.raises(RetrievalError, match="goes from low to high"):
        DATED.between("since", "2024-05-31", "2024-05-30")


def test_a_day_can_be_asked_for_as_a_value() -> None:
    assert DATED.with_any("since", ["2024-05-31"]).tolist() == [False, True, False]
    assert DATED.without_item("since", ["2024-05-31", "1999-01-01"]) == ["1999-01-01"]
    with pytest.raises(RetrievalError, match="since holds dates such as '2024-05-31', and such are required, but May"):
        DATED.with_any("since", ["May"])


def test_truth_values_can_be_asked_for_even_if_no_item_has_one() -> None:
    assert DATED.with_any("gone", [True]).tolist() == [False, False, False]
    assert DATED.with_any("gone", ["false"]).tolist() == [True, True, False]
    with pytest.raises(RetrievalError, match="truth values, true or false, and such are required, but maybe"):
        DATED.with_any("gone", ["maybe"])


def test_zeros_and_ones_are_truth_values_too() -> None:
    assert DATED.with_any("stocked", [True]).tolist() == [True, False, False]
    with pytest.raises(RetrievalError, match="holds numbers, so numbers are required, but True came"):
        ItemColumns(pa.table({"year": [1990, 1]})).with_any("year", [True])
