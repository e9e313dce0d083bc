"""Parts of a file that is written bit by bit, so that it goes on where it was interrupted.

::

    lists.csv                   the file, once it is whole
    .lists.csv.parts/           until then: settings.json, and what is done
    .lists.csv.finished.json    from then on: the settings, and the hash of the file that was made with them
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from recsys.api.part_store import ListPartStore
from recsys.cli.output_directory import make_output_directory
from recsys.cli.whole_files import whole_file
from recsys.errors import RequestError

#: What files end with, and so how they are written.
SUFFIXES = (".parquet", ".csv")

_SETTINGS = "settings.json"


class ListParts(ListPartStore):
    """A directory beside a file, with the parts of the file that are done.

    A part is there whole or not at all. The file itself appears when all parts are there, and the directory goes then;
    a note stays of what the file was made with.

    Args:
        output: the file.
        settings: what the parts depend on; parts of other settings are refused.

    Raises:
        RequestError: the file has another ending.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        if output.suffix not in SUFFIXES:
            raise RequestError(
                f"output must end with {' or '.join(SUFFIXES)}, or have no ending for a directory, but it is "
                f"{output}. Choose another."
            )
        super().__init__(output, settings)
        self.directory = output.with_name(f".{output.name}.parts")
        self._note = output.with_name(f".{output.name}.finished.json")

    @property
    def finished(self) -> bool:
        """See :class:`recsys.api.part_store.ListPartStore`."""
        if self.directory.exists() or not self.output.is_file() or not self._note.is_file():
            return False
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
        except ValueError:
            return False
        return bool(noted == self._finished_note())

    def _finished_note(self) -> dict[str, Any]:
        with self.output.open("rb") as file:
            return {"settings": self._settings, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}

    def start(self) -> None:
        """See :class:`recsys.api.part_store.ListPartStore`."""
        if self.output.exists() and not self.directory.exists():
            raise RequestError(
                f"{self.output} is there already, and not of this very command. Choose another output, or remove the "
                "file."
            )
        make_output_directory(self.directory, "lists", "output=")
        noted = self.directory / _SETTINGS
        if noted.exists():
            self._check(json.loads(noted.read_text(encoding="utf-8")), self.directory)
        else:
            with whole_file(noted) as path:
                path.write_text(json.dumps(self._settings), encoding="utf-8")

    def finish(self, num_parts: int) -> None:
        """Join the parts to the file and remove them."""
        with whole_file(self.output) as path:
            self._join(path, num_parts)
        with whole_file(self._note) as path:
            path.write_text(json.dumps(self._finished_note()), encoding="utf-8")
        shutil.rmtree(self.directory)

    def _join(self, path: Path, num_parts: int) -> None:
        tables = (pq.read_table(self._path(part)) for part in range(num_parts))
        if self.output.suffix == ".csv":
            _join_csv(path, tables)
        else:
            _join_parquet(path, tables)

    def _path(self, part: int) -> Path:
        return self.directory / f"{part:06}.parquet"


def _join_parquet(path: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _join_csv(path: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    with pcsv.CSVWriter(path, first.schema, write_options=pcsv.WriteOptions(quoting_style="needed")) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
