"""The names that the columns have in a user's own tables."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID, WEIGHT
from recsys.data.readers.tables.likely_columns import likely_column, warn_of_unread
from recsys.errors import DataError

#: What ids are called where there is one kind of them.
_ID = "id"


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Names of the columns in the user's tables.

    Args:
        user: column of user ids.
        item: column of item ids.
        rating: column of ratings; None to leave them out. The column may be absent only under its default name.
        timestamp: column of timestamps; the same holds.
        weight: column of how much an interaction counts, such as a quantity; None for none.
        title: column of the items table that is shown to people; the same holds.
    """

    user: str = USER_ID
    item: str = ITEM_ID
    rating: str | None = RATING
    timestamp: str | None = TIMESTAMP
    weight: str | None = None
    title: str | None = TITLE

    @classmethod
    def parse(cls, columns: Mapping[str, object] | None) -> ColumnNames:
        """The names as they are set by ``data.columns``; a whole number is the position of a column without a name.

        Raises:
            DataError: there is another key, or a name is missing or no name.
        """
        given = dict(columns or {})
        known = [field.name for field in fields(cls)]
        names = {
            key: str(name) if isinstance(name, int) and not isinstance(name, bool) else name
            for key, name in given.items()
        }
        wrong = [key for key, name in names.items() if key not in known or not (name is None or isinstance(name, str))]
        if wrong or None in (names.get("user", USER_ID), names.get("item", ITEM_ID)):
            optional = [key for key in known if key not in ("user", "item")]
            raise DataError(
                f"data.columns takes user and item, and {', '.join(optional[:-1])} and {optional[-1]}, which may be "
                f"null; it came as {given!r}. Correct it."
            )
        return cls(**names)  # type: ignore[arg-type]

    def as_mapping(self) -> dict[str, str | None]:
        """The names by their keys."""
        return asdict(self)

    @property
    def required(self) -> tuple[str, str]:
        """Names that every table of interactions must have."""
        return self.user, self.item

    def wanted(self, found: Sequence[str], place: str) -> dict[str, str]:
        """The framework's names of the columns of interactions to read, and their names among those ``found``.

        Raises:
            DataError: a required column is missing, or one name stands for two columns.

        Warns:
            DataWarning: a column seems to hold ratings or times, and has another name.
        """
        roles = {USER_ID: self.user, ITEM_ID: self.item, RATING: self.rating, TIMESTAMP: self.timestamp}
        roles |= {WEIGHT: self.weight}
        given = {role: name for role, name in roles.items() if name is not None}
        if len(set(given.values())) < len(given):
            raise DataError(
                f"data.columns must name each column once, but is {given}. Leave one of them out, or correct it."
            )
        optional = {role for role in (RATING, TIMESTAMP) if roles[role] == role}
        missing = {role: name for role, name in given.items() if name not in found and role not in optional}
        if missing:
            left = [name for name in found if name not in given.values()]
            options = ", ".join(
                shlex.quote(f"data.columns.{role.removesuffix('_id')}={likely_column(role, left) or 'NAME'}")
                for role in missing
            )
            raise DataError(
                f"{place} must have the column{'s' if len(missing) > 1 else ''} "
                f"{', '.join(map(repr, missing.values()))}, but its columns are "
                f"{', '.join(map(repr, found)) or 'none'}. Say which column it is with {options}."
            )
        wanted = {role: name for role, name in given.items() if name in found}
        warn_of_unread(found, wanted, roles, place)
        return wanted


def id_column(found: Sequence[str], id_name: str, role: str, place: str) -> str:
    """The id column of a users or items table: that of the interactions' name, or else ``user_id`` or ``id``, say.

    Args:
        found: names of its columns.
        id_name: name of the id column in the interactions.
        role: ``user_id`` or ``item_id``.
        place: where the table is from, for messages.

    Raises:
        DataError: there is none, or a second one of the name that the ids get.
    """
    candidates = list(dict.fromkeys((id_name, role, _ID)))
    name = next((candidate for candidate in candidates if candidate in found), None)
    if name is None:
        raise DataError(
            f"{place} must have the column {id_name!r}, as the interactions have, or {' or '.join(candidates[1:])}, "
            f"but its columns are {', '.join(map(repr, found)) or 'none'}. Rename its column of ids."
        )
    if name != role and role in found:
        raise DataError(f"{place} has a column {role!r} beside the ids in {name!r}. Rename or remove it.")
    return name
