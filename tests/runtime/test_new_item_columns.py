from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from recsys.errors import RequestError
from recsys.runtime.new_item_columns import as_catalogue_columns

CATALOGUE = pa.table(
    {
        "item_id": ["a"],
        "tags": ["x|y"],
        "genres": [["War"]],
        "since": [date(2024, 5, 31)],
        "seen": pa.array([datetime(2024, 5, 31)], pa.timestamp("s")),
        "gone": [False],
        "price": [2.5],
        "brand": pa.array(["b"]).dictionary_encode(),
    }
)


def _one(**columns: object) -> dict[str, object]:
    items = pa.table({name: [value] for name, value in columns.items()})
    row: dict[str, object] = as_catalogue_columns(items, CATALOGUE, {"tags": "|"}).to_pylist()[0]
    return row


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("tags", ["x", "z"], "x|z"),
        ("tags", "x|z", "x|z"),
        ("tags", [], ""),
        ("genres", "War", ["War"]),
        ("genres", ["War", "Drama"], ["War", "Drama"]),
        ("since", "2024-06-01", date(2024, 6, 1)),
        ("since", datetime(2024, 6, 1), date(2024, 6, 1)),
        ("seen", "2024-06-01T12:00:00", datetime(2024, 6, 1, 12)),
        ("gone", "True", True),
        ("gone", True, True),
        ("price", 3, 3.0),
        ("brand", "c", "c"),
        ("colour", ["red"], ["red"]),  # the catalogue has no such column
    ],
)
def test_what_says_the_same_is_converted(name: str, given: object, expected: object) -> None:
    assert _one(item_id="n", **{name: given}) == {"item_id": "n", name: expected}


def test_what_is_missing_stays_missing() -> None:
    items = pa.table({"tags": pa.array([None, ["x"]]), "genres": pa.array([None, "War"]), "gone": pa.nulls(2)})
    assert as_catalogue_columns(items, CATALOGUE, {"tags": "|"}).to_pydict() == {
        "tags": [None, "x"],
        "genres": [None, ["War"]],
        "gone": [None, None],
    }


@pytest.mark.parametrize(("name", "given"), [("since", "soon"), ("gone", "maybe")])
def test_what_cannot_be_converted_is_told(name: str, given: str) -> None:
    with pytest.raises(RequestError, match=rf"The column {name} of new items must be as in the bundle, of type "):
        _one(item_id="n", **{name: given})
