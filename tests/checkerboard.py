"""Data with a known answer: users like the items whose parity is theirs."""

from __future__ import annotations

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.split import Split


def checkerboard(num_users: int = 40, num_items: int = 30) -> tuple[Interactions, Split]:
    """User u likes every item i with u + i even; one liked item of each user is held out for test, one for validation.

    Whoever has understood the board ranks the two held-out items above every item of the other colour.
    """
    users, items = np.nonzero(np.add.outer(np.arange(num_users), np.arange(num_items)) % 2 == 0)
    interactions = Interactions(users.astype(np.int32), items.astype(np.int32), None, None, None, num_users, num_items)
    # The held-out items go round the board, so that every item keeps most of its users in training.
    place = np.arange(len(users)) % (num_items // 2)
    test = place == (users // 2) % (num_items // 2)
    valid = place == (users // 2 + 1) % (num_items // 2)
    return interactions, Split(
        train=np.flatnonzero(~test & ~valid), valid=np.flatnonzero(valid), test=np.flatnonzero(test)
    )
