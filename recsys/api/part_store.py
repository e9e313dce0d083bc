"""Where lists are kept part by part until all are there, so that writing goes on where it was interrupted."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.cli.whole_files import shared_file
from recsys.errors import RequestError


class ListPartStore(ABC):
    """The parts of lists, each of which is there whole or not at all.

    It can be sent to another process, and several may write at once, the same part as well.

    Args:
        output: what appears when all parts are there.
        settings: what the lists depend on; parts of other settings are refused.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        self.output = output
        self._settings: dict[str, Any] = json.loads(json.dumps(settings, default=str))

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether all was written with these very settings, and is still what was written."""

    @abstractmethod
    def start(self) -> None:
        """Make place for the parts, or go on with those that are there.

        Raises:
            RequestError: something else is there, or parts of other settings.
        """

    def has(self, part: int) -> bool:
        """Whether a part is done."""
        return self._path(part).is_file()

    def write(self, part: int, table: pa.Table) -> None:
        """Keep a part."""
        with shared_file(self._path(part)) as path:
            pq.write_table(table, path, compression="zstd")

    @abstractmethod
    def finish(self, num_parts: int) -> None:
        """Say that all parts are there."""

    @abstractmethod
    def _path(self, part: int) -> Path:
        """The file of a part."""

    def _check(self, found: Mapping[str, Any], removed: Path) -> None:
        for name, value in self._settings.items():
            if found.get(name) != value:
                raise RequestError(
                    f"{self.output} was begun with other settings: {name} was {found.get(name)!r}, and is {value!r} "
                    f"now. Go on with the same ones, choose another output, or remove {removed}."
                )
