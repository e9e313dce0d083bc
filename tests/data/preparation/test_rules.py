from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from recsys.data.preparation.raw_interactions import code_interactions
from recsys.data.preparation.rules import clean
from recsys.data.preparing import Preparation
from recsys.errors import DataError
from tests.data.raw_data import films, interactions_table

NAN = float("nan")


def kept(
    table: pa.Table, item_ids: Sequence[str] = (), **choices: Any
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """The pairs that stay, all items, and what each rule says."""
    preparation = Preparation(**choices)
    coded = code_interactions(table, preparation.invalid_rows)
    interactions, users, items, rules = clean(coded, preparation, pa.array(item_ids, pa.string()))
    user_ids, ids = users.ids_of(interactions.user_index), items.ids_of(interactions.item_index)
    pairs = list(zip(user_ids.to_pylist(), ids.to_pylist(), strict=True))
    return pairs, items.ids.to_pylist(), [str(rule) for rule in rules]


def test_rules_are_applied_in_order_and_say_what_they_removed() -> None:
    rows = [("a", "x", 5.0, 1), ("a", "x", 4.0, 2), ("a", "y", 5.0, 3), ("b", "x", NAN, 4), ("c", "z", 3.0, 5)]
    pairs, items, rules = kept(interactions_table(rows), invalid_rows="drop", min_user_interactions=2)
    # b has no valid row; c has one interaction, and z nobody else.
    assert (pairs, items) == ([("a", "x"), ("a", "y")], ["x", "y"])
    assert [rule.split(" removed")[0] for rule in rules] == ["invalid rows", "duplicates", "k-core"]
    assert "1 interactions" in rules[1] and "1 interactions, 1 users, 1 items" in rules[2]


def test_rows_of_one_second_stand_in_the_order_of_time() -> None:
    # Newest first, as many exports are: the order within a second is that of its parts.
    rows = [("a", item, 50, 900_000_000 - 100 * n) for n, item in enumerate("zyxw")]
    pairs, _, _ = kept(interactions_table(rows, ("user_id", "item_id", "timestamp", "subsecond_ns")))
    assert [item for _, item in pairs] == ["w", "x", "y", "z"]


def test_items_that_the_core_removed_are_not_unrated() -> None:
    _, items, _ = kept(films().interactions, ["w", "z"], include_unrated_items=True, min_item_interactions=2)
    assert items == ["x", "y", "z"]


def test_items_whose_rows_were_all_invalid_are_unrated() -> None:
    table = interactions_table([("a", "x", 1.0, 1), ("a", "z", NAN, 1)])
    assert kept(table, ["y", "z"], invalid_rows="drop")[1] == ["x"]
    assert kept(table, ["y", "z"], invalid_rows="drop", include_unrated_items=True)[1] == ["x", "y", "z"]


def test_a_threshold_needs_ratings() -> None:
    with pytest.raises(DataError, match="positive_threshold=4 needs a rating column, and the interactions have none"):
        kept(interactions_table([("a", "x")]), positive_threshold=4)


def test_a_threshold_that_no_rating_reaches_is_refused() -> None:
    with pytest.raises(DataError, match=r"No interaction reaches .*threshold=6; ratings go from 1 to 5\. Lower it"):
        kept(films().interactions, positive_threshold=6)
