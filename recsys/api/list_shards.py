"""Lists in a directory of Parquet files, which is read as one table.

::

    lists/
        _manifest.json        the settings and the model; once all is there, the rows and the hash of each file
        part-000000.parquet   lists of the first users, whole from the moment that the file is there
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.api.part_store import ListPartStore
from recsys.cli.output_directory import make_output_directory
from recsys.cli.whole_files import PARTIAL_SUFFIX, whole_file
from recsys.errors import RequestError

#: Begins with an underscore, so that Arrow, Spark and others pass it over when they read the directory as a table.
MANIFEST = "_manifest.json"
_FORMAT = 1


class ListShards(ListPartStore):
    """A directory with a file for each part.

    Args:
        output: the directory.
        settings: what the lists depend on; files of other settings are refused.
    """

    @property
    def finished(self) -> bool:
        """See :class:`recsys.api.part_store.ListPartStore`; files are known by their sizes."""
        manifest = self._manifest()
        if manifest is None or not manifest.get("complete") or manifest.get("settings") != self._settings:
            return False
        return all(self._size(shard["file"]) == shard["bytes"] for shard in manifest["shards"])

    def start(self) -> None:
        """See :class:`recsys.api.part_store.ListPartStore`."""
        make_output_directory(self.output, "lists", "output=")
        manifest = self._manifest()
        if manifest is not None:
            self._check(manifest.get("settings", {}), self.output)
        elif found := sorted(path.name for path in self.output.iterdir() if not path.name.endswith(PARTIAL_SUFFIX)):
            raise RequestError(
                f"{self.output} must be a new directory or one with lists, but it has {found[0]} and no {MANIFEST}. "
                "Choose another output, or remove it."
            )
        self._write_manifest({"complete": False})

    def finish(self, num_parts: int) -> None:
        """See :class:`recsys.api.part_store.ListPartStore`.

        Raises:
            RequestError: a file was damaged since it was written.
        """
        shards = [_shard(self._path(part)) for part in range(num_parts)]
        for left in self.output.glob(f".part-*{PARTIAL_SUFFIX}"):  # by processes that were killed
            left.unlink(missing_ok=True)
        self._write_manifest({"complete": True, "num_rows": sum(one["rows"] for one in shards), "shards": shards})

    def _manifest(self) -> dict[str, Any] | None:
        try:
            content = json.loads((self.output / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def _write_manifest(self, state: Mapping[str, Any]) -> None:
        content = {"format": _FORMAT, "settings": self._settings, **state}
        with whole_file(self.output / MANIFEST) as path:
            path.write_text(json.dumps(content, indent=1), encoding="utf-8")

    def _size(self, name: str) -> int | None:
        path = self.output / name
        return path.stat().st_size if path.is_file() else None

    def _path(self, part: int) -> Path:
        return self.output / f"part-{part:06}.parquet"


def _shard(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        rows = pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException) as error:
        raise RequestError(
            f"{path} was written whole, but is damaged now: {error}. Remove it, then run the command again: it writes "
            "what is missing."
        ) from error
    return {"file": path.name, "rows": rows, "bytes": path.stat().st_size, "sha256": digest}
