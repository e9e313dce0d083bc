"""A cold-start split that holds out both whole items and whole users."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import require_interactions
from recsys.data.splitting.cold_items import ColdItems
from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.parts import TEST, TEST_FOLD_IN, TRAIN, VALID, VALID_FOLD_IN, split_by_part


@dataclass(frozen=True, slots=True)
class ColdBoth:
    """Hold out random items and random users; training has neither.

    Items are drawn first, by ``items``. Then ``users`` draws users by their interactions with the other items, and
    picks their fold-in interactions: the history of a held-out user never has a held-out item. All other interactions
    of a held-out user, and every interaction with a held-out item, are held out. An interaction that belongs to both
    test and validation, one by its user and one by its item, is test.

    So test has new items for known users, known items for new users, and new items for new users; the segments of an
    evaluation tell these apart.

    Args:
        items: draws the items.
        users: draws the users and their fold-in interactions.
    """

    items: ColdItems = field(default_factory=ColdItems)
    users: ColdUsers = field(default_factory=ColdUsers)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, no timestamps for ``order="time"`` of the users, or too few items
                or users.
        """
        require_interactions(interactions)
        by_item = self.items.split(interactions)
        warm = by_item.train
        by_user = self.users.split(interactions.take(warm))
        part = np.full(len(interactions), TRAIN, dtype=np.int8)
        # Every held-out user has at least one held-out row, which tells that the user is held out.
        for code, of_users, of_items in (
            (VALID, by_user.valid, by_item.valid),
            (TEST, by_user.test, by_item.test),
        ):
            is_held_out = np.zeros(interactions.num_users, dtype=np.bool_)
            is_held_out[interactions.user_index[warm[of_users]]] = True
            part[is_held_out[interactions.user_index]] = code
            part[of_items] = code
        part[warm[by_user.valid_fold_in]] = VALID_FOLD_IN
        part[warm[by_user.test_fold_in]] = TEST_FOLD_IN
        return split_by_part(part)
