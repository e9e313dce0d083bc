"""Rows of a query in files of this machine, so that they are gone through more than once and never held at once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.readers.sql.rows import mixed_types
from recsys.data.readers.table_files import FileTable
from recsys.data.readers.tables.table_digest import TableDigest
from recsys.data.sources.copied_file import CopiedShards


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """The rows of a query as a table in Parquet files.

    Args:
        table: the files; messages call them as the query.
        digest: SHA-256 of the rows in their order.
    """

    table: FileTable
    digest: str


def spool_rows(chunks: Iterable[pa.Table], directory: Path, place: str) -> SpooledRows:
    """Write the rows of a query, one file for neighbouring chunks of the same types.

    Args:
        chunks: see :func:`recsys.data.readers.sql.rows.query_chunks`; at least one.
        directory: for the files.
        place: what messages call the query.

    Raises:
        DataError: the types of the chunks do not go together.
        OSError: the files cannot be written.
    """
    paths: list[Path] = []
    schemas: list[pa.Schema] = []
    digest = TableDigest()
    with ExitStack() as stack:
        for chunk in chunks:
            if not schemas or chunk.schema != schemas[-1]:
                stack.close()
                paths.append(directory / f"rows-{len(paths):05}.parquet")
                schemas.append(chunk.schema)
                writer = stack.enter_context(pq.ParquetWriter(paths[-1], chunk.schema, compression="lz4"))
            writer.write_table(chunk)
            digest.add(chunk)
    try:
        pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise mixed_types(place, error) from error
    files = CopiedShards(directory, None, tuple(paths), 0, place, (place,) * len(paths))
    return SpooledRows(FileTable(files), digest.hexdigest())
