from __future__ import annotations

import warnings

import pytest

from recsys.data.readers.tables.likely_columns import likely_column, warn_of_unread
from recsys.errors import DataWarning


@pytest.mark.parametrize(
    ("role", "found", "likely"),
    [
        ("user_id", ["User-ID", "ISBN", "Book-Rating"], "User-ID"),
        ("item_id", ["User-ID", "ISBN", "Book-Rating"], "ISBN"),
        ("rating", ["User-ID", "ISBN", "Book-Rating"], "Book-Rating"),
        ("timestamp", ["Created_At"], "Created_At"),
        ("item_id", ["item", "movieId"], "item"),  # the likeliest name, not the first
        ("item_id", ["price"], None),
        ("weight", ["weight"], None),
    ],
)
def test_the_column_that_is_probably_meant(role: str, found: list[str], likely: str | None) -> None:
    assert likely_column(role, found) == likely


EXPECTED = {"user_id": "user_id", "item_id": "item_id", "rating": "rating", "timestamp": "timestamp"}


def test_ratings_of_another_name_are_not_left_out_without_a_word() -> None:
    message = (
        r"^shop has no column 'rating', so no rating is read: data\.columns\.rating=Stars reads .*rating=null says"
    )
    with pytest.warns(DataWarning, match=message):
        warn_of_unread(["user_id", "item_id", "Stars"], {"user_id": "user_id", "item_id": "item_id"}, EXPECTED, "shop")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["user_id", "item_id", "Stars"], EXPECTED | {"rating": None}),  # none is wanted
        (["user_id", "item_id", "till"], EXPECTED),
    ],
)
def test_other_columns_are_left_out(found: list[str], expected: dict[str, str | None]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warn_of_unread(found, {"user_id": "user_id", "item_id": "item_id"}, expected, "shop")
    assert not caught
