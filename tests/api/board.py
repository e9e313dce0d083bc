"""A checkerboard as a user's tables: whole numbers as ids, titles, a colour and a year of each item."""

from __future__ import annotations

import pandas as pd

from tests.checkerboard import checkerboard

NUM_USERS, NUM_ITEMS = 30, 20


def interactions() -> pd.DataFrame:
    """User 100 + u has every item 10 + i with u + i even, in a time of its own."""
    board, _ = checkerboard(NUM_USERS, NUM_ITEMS)
    times = (board.user_index * 7 + board.item_index * 13) % 101
    return pd.DataFrame(
        {
            "user_id": board.user_index.astype("int64") + 100,
            "item_id": board.item_index.astype("int64") + 10,
            "timestamp": times.astype("int64") * 1000 + board.item_index,
        }
    )


def items() -> pd.DataFrame:
    """Even items are black, odd ones white."""
    ids = list(range(10, 10 + NUM_ITEMS))
    return pd.DataFrame(
        {
            "item_id": ids,
            "title": [f"Square {one}" for one in ids],
            "colour": ["white" if one % 2 else "black" for one in ids],
            "year": [2000 + one for one in ids],
        }
    )
