"""Promotions: items that have a place in the list whatever their score.

They respect what is hard: the item is there and available, the filters of the bundle and of the query allow it, and it
is neither excluded nor seen (where seen items stay out). One that may not be shown leaves its place to the others, and
the answer says so. Scores of promoted items are those of the model where it has the item in its list, else none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from recsys.errors import RequestError
from recsys_serving.recommending.types import Promotion

#: Promotions of one query, at most.
MAX_PROMOTIONS = 50


def check_promotions(promotions: Sequence[Promotion]) -> None:
    """Require sensible positions.

    Raises:
        RequestError: there are too many, a position is not a whole number from 1, or two have one position or item.
    """
    if len(promotions) > MAX_PROMOTIONS:
        raise RequestError(f"A query may have {MAX_PROMOTIONS} promotions, but {len(promotions)} came.")
    for promotion in promotions:
        position = promotion.position
        if isinstance(position, bool) or not isinstance(position, int) or position < 1:
            raise RequestError(f"The position of a promotion must be a whole number from 1, but it is {position!r}.")
    for what, values in (
        ("position", [promotion.position for promotion in promotions]),
        ("item", [promotion.item_id for promotion in promotions]),
    ):
        if len(set(values)) < len(values):
            raise RequestError(f"Each promotion needs a {what} of its own, but one {what} came twice.")


def with_promotions(
    ranked: Sequence[str], promotions: Sequence[Promotion], allowed: Collection[str], first_rank: int, k: int
) -> list[str]:
    """A page of ``k`` items in which the promoted ones stand at their places.

    Args:
        ranked: ids by score, best first; at least ``k`` of them where there are as many.
        promotions: items and places, counted over all pages.
        allowed: promoted items that may be shown.
        first_rank: of this page, from 1.
        k: length of the page.
    """
    places = {
        promotion.position - first_rank: promotion.item_id
        for promotion in promotions
        if promotion.item_id in allowed and first_rank <= promotion.position < first_rank + k
    }
    promoted = {promotion.item_id for promotion in promotions if promotion.item_id in allowed}
    others = iter([item_id for item_id in ranked if item_id not in promoted])
    page: list[str] = []
    for place in range(k):
        item_id = places.pop(place, None) or next(others, None)
        if item_id is None:
            break
        page.append(item_id)
    # Of a list that is too short for its places the promoted ones come at the end.
    return [*page, *(places[place] for place in sorted(places))][:k]
