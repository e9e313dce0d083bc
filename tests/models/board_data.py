"""The checkerboard as a prepared data set: every user has rated every item, 5 where they like it and 1 where not.

What is said of the users has nothing to do with what they like.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.preparing import Preparation, load_or_prepare
from recsys.data.readers.table import TableReader
from recsys.data.split import Split

NUM_USERS, NUM_ITEMS = 40, 30
CITIES = ("Ulm", "Bonn", "Kiel", "")
HOBBIES = ("chess", "rowing")


@cache
def prepared_board() -> PreparedDataset:
    """User u likes item i where u + i is even; items tell their colour; nobody rates two items at one time.

    Users tell their city, age and hobbies.
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        # The order of the ids is that of the numbers, so that indices are positions on the board.
        ratings = ["user_id,item_id,rating,timestamp"]
        ratings += [
            f"u{user:02},i{item:02},{5 if (user + item) % 2 == 0 else 1},{86_400 * item}"
            for user in range(NUM_USERS)
            for item in range(NUM_ITEMS)
        ]
        items = ["item_id,title,colours"]
        items += [
            f"i{item:02},Square {item},{'black|even' if item % 2 == 0 else 'white|odd'}" for item in range(NUM_ITEMS)
        ]
        users = ["user_id,city,age,hobbies"]
        for user in range(NUM_USERS):
            city, hobbies = CITIES[user // 2 % len(CITIES)], "|".join(HOBBIES[: user // 2 % 3])
            users.append(f"u{user:02},{city},{20 + user // 4},{hobbies}")
        (root / "users.csv").write_text("\n".join(users), encoding="utf-8")
        (root / "ratings.csv").write_text("\n".join(ratings), encoding="utf-8")
        (root / "items.csv").write_text("\n".join(items), encoding="utf-8")
        reader = TableReader(
            root / "ratings.csv",
            users=root / "users.csv",
            items=root / "items.csv",
            user_features={
                "city": "categorical",
                "age": "number",
                "hobbies": {"kind": "multi_valued", "separator": "|"},
            },
            item_features={"colours": {"kind": "multi_valued", "separator": "|"}},
            name="board",
        )
        prepared = load_or_prepare(root / "prepared", reader, Preparation(positive_threshold=4))
    assert prepared.user_vocabulary.ids.to_pylist() == [f"u{user:02}" for user in range(NUM_USERS)]
    assert prepared.item_vocabulary.ids.to_pylist() == [f"i{item:02}" for item in range(NUM_ITEMS)]
    return prepared


def board_split(interactions: Interactions) -> Split:
    """One item of each colour is held out for the test of each user, and one for validation, where they are there.

    The held-out items go round the board, so that every item keeps most of its users in training.
    """
    users, items = interactions.user_index.astype(np.int64), interactions.item_index.astype(np.int64)
    half = NUM_ITEMS // 2
    turn = (items // 2 - users // 2) % half
    return Split(train=np.flatnonzero(turn > 1), valid=np.flatnonzero(turn == 1), test=np.flatnonzero(turn == 0))
