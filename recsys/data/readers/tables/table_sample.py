"""The first rows of a file, as text: enough to see what its columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from recsys.data.readers.tables.text_format import parse_settings, recognise, split_lines
from recsys.data.readers.tables.text_sample import read_sample
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_ROWS = 1_000
_SEPARATORS = {"csv": ",", "tsv": "\t", "tab": "\t", "txt": None, "dat": None}


@dataclass(frozen=True, slots=True)
class TableSample:
    """The first rows of a table.

    Args:
        columns: values as text, without white space around them, by the names of the columns; none where a field is
            empty.
    """

    columns: Mapping[str, Sequence[str]]


def read_table_sample(file: RawFile, header: bool | Sequence[str] | None = None) -> TableSample:
    """The first rows of delimited text or Parquet.

    Args:
        file: the file.
        header: of text: False: there is none, and columns are called by their positions from 0; or their names; None
            for True where nothing speaks against it.

    Raises:
        DataError: it is neither, is empty, or has no header.
        SourceError: it cannot be read.
    """
    kind = file.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind in ("parquet", "pq"):
        return TableSample(_of_parquet(file))
    if kind not in _SEPARATORS:
        raise DataError(
            f"{file} must be delimited text (.csv, .tsv, .txt, .dat, each also with .gz) or .parquet, so that its "
            "columns can be recognised, but has another ending. Convert it; data=table reads JSON lines too."
        )
    text = recognise(file, parse_settings("interactions", None, None, header), _SEPARATORS[kind], ())
    lines = read_sample(file, text.encoding).lines
    rows = (split_lines(lines, text.separator) or [])[1 if text.has_header else 0 :]
    columns = {name: [row[place].strip() for row in rows if place < len(row)] for place, name in enumerate(text.names)}
    return TableSample({name: [value for value in values if value] for name, values in columns.items()})


def _of_parquet(file: RawFile) -> dict[str, list[str]]:
    with file.open() as stream:
        table = next(pq.ParquetFile(stream).iter_batches(batch_size=_ROWS), None)
    if table is None:
        raise DataError(f"{file} is empty; at least one row is needed. Check that it is the right file.")
    names, columns = table.schema.names, table.columns
    return {
        name: [str(value) for value in column.to_pylist() if value is not None]
        for name, column in zip(names, columns, strict=True)
    }
