from __future__ import annotations

import pytest

from recsys.data.readers.tables.text_header import column_names
from recsys.errors import DataError

IDS = ("user_id", "item_id")
ROWS = [["u1", "a", "4", "1600000000"], ["u1", "b", "5", "1600000001"], ["u2", "a", "3", "1600000002"]]


def _names(
    rows: list[list[str]],
    header: bool | tuple[str, ...] | None = None,
    required: tuple[str, ...] = IDS,
    part: str = "interactions",
) -> tuple[str, ...]:
    return column_names("a.csv", rows, header, required, part)


@pytest.mark.parametrize("required", [IDS, ("u1", "a")])
def test_a_missing_header_is_suspected_and_no_row_is_lost(required: tuple[str, str]) -> None:
    message = (
        r"a\.csv seems to have no header: its first line is 'u1', 'a', '4', '1600000000'\. Set data\.header=false .* "
        r"data\.columns\.user=0 data\.columns\.item=1 data\.columns\.rating=2 data\.columns\.timestamp=3\. Set"
    )
    with pytest.raises(DataError, match=message):
        _names(ROWS, required=required)
    assert _names(ROWS, header=True, required=required) == tuple(ROWS[0])  # the user may insist


def test_the_advice_suits_the_table() -> None:
    with pytest.raises(DataError, match=r"data\.columns\.item=1 data\.columns\.timestamp=2\. Set"):
        _names([["u1", "a", "1600000000"], ["u2", "b", "1600000001"]], required=("u1", "a"))
    with pytest.raises(DataError, match=r"such as 'data\.header=\{items: \[item_id,title,genres\]\}'"):
        _names([["1", "2"], ["3", "4"]], required=("item_id",), part="items")


@pytest.mark.parametrize(
    ("first", "required"),
    [
        (["item_id", "2019", "2020"], ("item_id",)),  # an id column of the usual name is no row
        (["userId", "movieId", "rating"], IDS),  # names, though not those that are asked for
        (["sku", "price"], ("sku",)),
        (["name"], ("item_id",)),
    ],
)
def test_names_are_taken_for_names(first: list[str], required: tuple[str, ...]) -> None:
    assert _names([first, ["1", "31", "2.5"][: len(first)]], required=required) == tuple(first)


def test_without_a_header_columns_are_called_by_their_positions() -> None:
    assert _names(ROWS, header=False, required=("0", "1")) == ("0", "1", "2", "3")
    message = (
        r"columns are called 0 to 3\. The first row is 'u1', 'a', '4', '1600000000'\. Set data\.header=false and say"
    )
    with pytest.raises(DataError, match=message):
        _names(ROWS, header=False)


def test_the_names_may_be_given() -> None:
    names = ("user_id", "item_id", "rating", "timestamp")
    assert _names(ROWS, header=names) == names
    for wrong in (names[:2], (*names[:3], "rating")):
        with pytest.raises(DataError, match=r"data\.header must name each of the 4 columns once"):
            _names(ROWS, header=wrong)


@pytest.mark.parametrize("header", [False, ("item_id", "title")])
def test_a_header_that_is_there_all_the_same_is_no_row(header: bool | tuple[str, ...]) -> None:
    message = r"is said to have no header .* 'item_id', 'title'\. Leave .* as in data\.header=\{interactions: false\}"
    with pytest.raises(DataError, match=message):
        _names([["item_id", "title"], ["1", "a"]], header=header, required=("0",), part="items")


def test_long_lines_are_shown_in_part() -> None:
    with pytest.raises(DataError, match=r"'7', '8', \.\.\."):
        _names([[str(number) for number in range(1, 20)]])
