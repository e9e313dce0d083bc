"""What the user says of how text in their own tables is meant, where the text itself may be read in several ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class TextForms:
    """How text is meant.

    Args:
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.
        list_separators: what divides the values of text columns of users and items that hold several, by column; None
            for a column whose text is one value. Other columns are looked at.
    """

    day_first: bool | None = None
    list_separators: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, day_first: object, list_separators: object) -> TextForms:
        """The forms as they are set by ``data.day_first`` and ``data.list_separators``.

        Raises:
            DataError: a setting is none.
        """
        if not (day_first is None or isinstance(day_first, bool)):
            raise DataError(f"data.day_first must be true, false or null, but is {day_first!r}.")
        given = {} if list_separators is None else list_separators
        if not isinstance(given, Mapping) or not all(
            isinstance(name, str) and (value is None or (isinstance(value, str) and value))
            for name, value in given.items()
        ):
            raise DataError(
                "data.list_separators must say by column what divides several values in a text, as in {genres: ','}, "
                f"or null for a column whose text is one value, but is {list_separators!r}."
            )
        return cls(day_first, dict(given))

    def check_columns(self, columns: Collection[str], declared: Collection[str]) -> None:
        """Check that the columns with separators are there, and are not declared as features elsewhere.

        Args:
            columns: of users and items.
            declared: those of the tables whose features are declared.

        Raises:
            DataError: they are not.
        """
        missing = [name for name in self.list_separators if name not in columns]
        if missing:
            raise DataError(
                f"data.list_separators names the column {missing[0]!r}, but users and items have the columns "
                f"{', '.join(map(repr, sorted(columns))) or 'none'}. Correct the name."
            )
        twice = [name for name in self.list_separators if name in declared]
        if twice:
            raise DataError(
                f"data.list_separators names the column {twice[0]!r} of a table whose features are declared, where a "
                "separator belongs to the declaration: {kind: multi_valued, separator: ','}. Say it in one place."
            )
