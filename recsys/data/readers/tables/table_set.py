"""A user's own tables together with what the user says of them, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.tables.assembly import SourceTable, assemble, check_parts
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.streamed_assembly import assemble_stream, interaction_tables
from recsys.data.readers.tables.table_batches import NoBatchesError
from recsys.data.readers.tables.text_forms import TextForms

Table = TypeVar("Table", bound=SourceTable)


@dataclass(frozen=True, slots=True)
class TableSet(Generic[Table]):
    """Tables of one data set, the names of their columns, and which columns are features.

    Args:
        name: short name of the data set.
        tables: by the names ``interactions``, ``train``, ``valid``, ``test``, ``users``, ``items``.
        columns: names of the columns.
        user_features: declared features of users; None to infer them.
        item_features: declared features of items; None to infer them.
        forms: how text in them is meant.
    """

    name: str
    tables: Mapping[str, Table]
    columns: ColumnNames
    user_features: Mapping[str, Declaration] | None = None
    item_features: Mapping[str, Declaration] | None = None
    forms: TextForms = TextForms()

    @classmethod
    def parse(
        cls,
        name: str,
        tables: Mapping[str, Table],
        columns: Mapping[str, str | int | None] | None,
        user_features: Mapping[str, Declaration] | None,
        item_features: Mapping[str, Declaration] | None,
        day_first: bool | None,
        list_separators: Mapping[str, str | None] | None,
    ) -> TableSet[Table]:
        """Tables with what a user says of them, as readers take it: :class:`recsys.data.readers.table.TableReader`.

        Raises:
            DataError: ``columns`` has another key, or a setting of the text is none.
        """
        forms = TextForms.parse(day_first, list_separators)
        return cls(name, tables, ColumnNames.parse(columns), user_features, item_features, forms)

    def read(self) -> RawDataset:
        """The tables in one; see :func:`recsys.data.readers.tables.assembly.assemble`."""
        return assemble(self.name, self.tables, self.columns, self.user_features, self.item_features, self.forms)

    def stream(self) -> RawStream | str:
        """The tables in one, with interactions in batches, or the reason why they must be read at once, as a clause.

        Tables with interactions are files.
        """
        try:
            return assemble_stream(
                self.name, self.tables, self.columns, self.user_features, self.item_features, self.forms
            )
        except NoBatchesError as error:
            return str(error)

    def num_bytes(self) -> int:
        """About the size of the interactions as text; their tables are files."""
        return sum(table.num_bytes() for table in interaction_tables(self.tables).values())

    def arguments(self) -> dict[str, object]:
        """What is said of the tables, as values that JSON can hold: the same tables with other ones are other data.

        Raises:
            SourceError: there are no interactions among the tables.
        """
        check_parts(self.tables)
        return self.settings()

    def settings(self) -> dict[str, object]:
        """As :meth:`arguments`, whatever tables there are."""
        return {
            "name": self.name,
            "columns": self.columns.as_mapping(),
            "user_features": plain_declarations(self.user_features),
            "item_features": plain_declarations(self.item_features),
            "day_first": self.forms.day_first,
            "list_separators": dict(self.forms.list_separators),
        }


def plain_declarations(declared: Mapping[str, Declaration] | None) -> dict[str, object] | None:
    """Declared features as values that JSON can hold."""
    if declared is None:
        return None
    return {name: kind if isinstance(kind, str) else dict(kind) for name, kind in declared.items()}
