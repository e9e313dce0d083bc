"""Whole items and whole users are held out together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import require_interactions
from recsys.data.splitting.cold_items import ColdItems
from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.parts import TEST, TEST_GIVEN, TRAIN, VALID, VALID_GIVEN, split_by_part


@dataclass(frozen=True, slots=True)
class ColdBoth:
    """Hold out random items and random users; training has neither.

    Items are drawn first, by ``items``. Then ``users`` draws users by what they did with the other items, and gives a
    part of that: what is given of a held-out user never has a held-out item. All else of a held-out user, and every
    interaction with a held-out item, is to be recovered. An interaction that test and validation both ask for, by its
    user or by its item, is test.

    So test asks for new items for known users, for known items for new users, and for new items for new users; the
    segments of an evaluation tell these apart.

    Args:
        items: draws the items.
        users: draws the users, and what is given of them.
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
        # A held-out user has at least one row to be recovered in its part, by which it is known.
        for code, of_users, of_items in (
            (VALID, by_user.valid, by_item.valid),
            (TEST, by_user.test, by_item.test),
        ):
            is_held_out = np.zeros(interactions.num_users, dtype=np.bool_)
            is_held_out[interactions.user_index[warm[of_users]]] = True
            part[is_held_out[interactions.user_index]] = code
            part[of_items] = code
        part[warm[by_user.valid_given]] = VALID_GIVEN
        part[warm[by_user.test_fold_in]] = TEST_GIVEN
        return split_by_part(part)
