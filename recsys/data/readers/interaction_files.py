"""Interactions in one file of a format that is known beforehand, read as a whole or in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream
from recsys.data.readers.delimited import DelimitedForm, read_delimited, read_header
from recsys.data.readers.json_lines import json_line_batches, read_json_lines
from recsys.data.readers.required_columns import require_columns
from recsys.data.sources.raw_file import RawFile


class InteractionFile(ABC):
    """One file of interactions, in the framework's columns. What it is read with can be sent to another process."""

    file: RawFile

    @abstractmethod
    def read(self) -> pa.Table:
        """All rows.

        Raises:
            DataError: the file does not have the required columns or types.
            SourceError: it cannot be read.
        """

    @abstractmethod
    def empty(self) -> pa.Table:
        """The columns and their types, without rows."""

    @abstractmethod
    def batches(self) -> Iterator[pa.Table]:
        """The same rows in batches; see :meth:`read` for the errors."""

    def stream_with(self, rest: RawDataset) -> RawStream:
        """The raw data with these interactions as a stream.

        Args:
            rest: everything else; its interactions are left out.
        """
        return RawStream(replace(rest, interactions=self.empty()), self.batches, self.file.num_bytes())


@dataclass(frozen=True, slots=True)
class DelimitedInteractions(InteractionFile):
    """Delimited text.

    Args:
        file: the file.
        types: of the columns to read, by their names in the file.
        names: the framework's, in the same order.
        separator: one character.
        column_names: of all columns, if the file has no header.
        quoted: whether fields may be in double quotes.
        convert: applied to each part under the framework's names.
    """

    file: RawFile
    types: Mapping[str, pa.DataType]
    names: Sequence[str]
    separator: str = ","
    column_names: Sequence[str] | None = None
    quoted: bool = True
    convert: Callable[[pa.Table], pa.Table] | None = None

    def read(self) -> pa.Table:
        """See :class:`InteractionFile`."""
        return self._named(
            read_delimited(
                self.file,
                self.types,
                separator=self.separator,
                column_names=self.column_names,
                quoted=self.quoted,
            )
        )

    def empty(self) -> pa.Table:
        """See :class:`InteractionFile`."""
        return self._named(pa.schema(list(self._plain_types().items())).empty_table())

    def batches(self) -> Iterator[pa.Table]:
        """See :class:`InteractionFile`."""
        if self.column_names is None:
            require_columns(read_header(self.file, separator=self.separator), self.types, str(self.file))
        form = DelimitedForm(self.file, self.separator, self.column_names, "utf-8", self.quoted)
        return map(self._named, form.batches(self._plain_types()))

    def _plain_types(self) -> dict[str, pa.DataType]:
        """The types without dictionaries, which each batch would have of its own."""
        return {
            name: type_.value_type if pa.types.is_dictionary(type_) else type_ for name, type_ in self.types.items()
        }

    def _named(self, part: pa.Table) -> pa.Table:
        part = part.rename_columns(list(self.names))
        return part if self.convert is None else self.convert(part)


@dataclass(frozen=True, slots=True)
class JsonInteractions(InteractionFile):
    """JSON lines.

    Args:
        file: the file.
        types: of the fields to read.
        required: fields of which at least one line must have a value.
        convert: makes the framework's columns of a part.
    """

    file: RawFile
    types: Mapping[str, pa.DataType]
    required: Sequence[str]
    convert: Callable[[pa.Table], pa.Table]

    def read(self) -> pa.Table:
        """See :class:`InteractionFile`."""
        return read_json_lines(self.file, self._schema, self.required, self.convert)

    def empty(self) -> pa.Table:
        """See :class:`InteractionFile`."""
        return self.convert(self._schema.empty_table())

    def batches(self) -> Iterator[pa.Table]:
        """See :class:`InteractionFile`."""
        return json_line_batches(self.file, self._schema, self.required, self.convert)

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema(list(self.types.items()))
