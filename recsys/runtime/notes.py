"""What the user should know of a list, in sentences; the same from a model and from a bundle."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.retrieval.format_list import format_list
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import UserContext

#: Why nobody has a list of their own from some models.
SAME_FOR_ALL = "The model has one list for everyone"
#: Values that a note names at most.
_SHOWN = 10
_IDS_ARE_TEXT = "Ids are compared as text, leading zeros included."


def notes_of(
    request: RecommendationRequest,
    context: UserContext,
    personalized: bool,
    num_items: int,
    folds_in: bool,
    data_name: str,
    told: bool = True,
    same_for_all: bool = False,
    unknown_filter_values: Sequence[str] = (),
) -> tuple[str, ...]:
    """The notes of one list.

    Args:
        request: what was asked for.
        context: what is known of the user.
        personalized: whether the list is the user's own.
        num_items: length of the list.
        folds_in: whether the model scores users that it was not trained with.
        data_name: name of the data.
        told: whether what is known of the user tells the model something.
        same_for_all: whether the model gives everyone the same list.
        unknown_filter_values: that no item has, as ``column: value``.
    """
    notes = []
    if unknown_filter_values:
        notes.append(filter_values_told(unknown_filter_values))
    if context.unknown_items:
        names = ", ".join(context.unknown_items)
        notes.append(f"Not in {data_name}, and left out: {names}. {_IDS_ARE_TEXT}")
    if context.unknown_values:
        notes.append(f"Not in {data_name}, and without effect: {', '.join(context.unknown_values)}.")
    is_popular = not personalized and num_items > 0
    if request.user_id is not None and context.user < 0:
        rest = "" if context.is_known else ", so nothing is known of them"
        if is_popular and not context.is_known:
            rest, is_popular = f"{rest}: here is what is popular", False
        notes.append(f"User {request.user_id} is not in {data_name}{rest}. {_IDS_ARE_TEXT}")
    if is_popular:
        reason = SAME_FOR_ALL if same_for_all else _reason(request, context, folds_in, told)
        notes.append(f"{reason}: here is what is popular.")
    if context.undated:
        notes.append("When the history was seen is not known, so that none of it comes back: give its timestamps.")
    if request.restricts and num_items < request.k:
        notes.append(f"The filters leave {num_items} unseen items.")
    elif num_items == 0:
        notes.append("Nothing is left to recommend: every item was seen.")
    return tuple(notes)


def filter_values_told(values: Sequence[str]) -> str:
    """A sentence on values of filters that no item has, as ``column: value``."""
    return f"No item has what the filters name: {format_list(values, _SHOWN)}."


def _reason(request: RecommendationRequest, context: UserContext, folds_in: bool, told: bool) -> str:
    """Why the list is not the user's own."""
    if not context.is_known:
        return "Nothing is left of the history" if request.history else "Nothing is known of this user"
    if context.user < 0 and not folds_in:
        return "The model scores only users that it was trained with"
    if told and request.filters is not None:
        return "The model finds nothing among what the filters allow"
    return "What is known of this user tells the model nothing"


def counted_interactions(data_name: str, popular_days: float | None) -> str:
    """What the scores of popular items are numbers of.

    Args:
        data_name: of the data.
        popular_days: those of so many days before the newest one alone; None: of all time.

    Example:
        >>> counted_interactions("movielens_100k", 30)
        'interactions of the last 30 days of movielens_100k'
    """
    if popular_days is None:
        return f"interactions in {data_name}"
    days = "the last day" if popular_days == 1 else f"the last {popular_days:g} days"
    return f"interactions of {days} of {data_name}"
