"""Guesses which column of a user's table is what, by its name. A guess is proposed, and never taken."""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Mapping, Sequence

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID
from recsys.errors import DataWarning

#: What columns are called in data that people share, in lower-case letters alone; the likeliest first.
_NAMES = {
    USER_ID: ("userid", "user", "customerid", "customer", "memberid", "visitorid", "reviewerid", "personid", "uid"),
    ITEM_ID: (
        "itemid", "item", "productid", "product", "movieid", "filmid", "bookid", "isbn", "asin", "sku", "articleid",
        "trackid", "songid", "iid",
    ),
    RATING: ("rating", "ratings", "bookrating", "stars", "score", "overall"),
    TIMESTAMP: ("timestamp", "timestamps", "datetime", "time", "date", "createdat", "unixtime"),
}  # fmt: skip


def likely_column(role: str, found: Sequence[str]) -> str | None:
    """The column that is probably meant; None where none is.

    Args:
        role: the framework's name of a column.
        found: names of the columns that there are.

    Example:
        >>> likely_column("item_id", ["Book-Rating", "ISBN"])
        'ISBN'
    """
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(found)}
    return next((plain[name] for name in _NAMES.get(role, ()) if name in plain), None)


def warn_of_unread(
    found: Sequence[str], wanted: Mapping[str, str], expected: Mapping[str, str | None], place: str
) -> None:
    """Say if a column seems to hold ratings or times, and is not read because of its name.

    Args:
        found: names of all columns.
        wanted: the framework's names and those of the columns that are read.
        expected: the names that were looked for, by the framework's names; None where the user wants none.
        place: where the table is from.

    Warns:
        DataWarning: there is such a column.
    """
    unread = [name for name in found if name not in wanted.values()]
    for role in (RATING, TIMESTAMP):
        name = likely_column(role, unread)
        if role not in wanted and expected.get(role) is not None and name is not None:
            setting = shlex.quote(f"data.columns.{role}={name}")
            warnings.warn(
                f"{place} has no column {expected[role]!r}, so no {role} is read: {setting} reads {name!r}, and "
                f"data.columns.{role}=null says that none is wanted.",
                DataWarning,
                stacklevel=2,
            )
