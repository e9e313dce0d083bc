"""A journal of studies of whole lines, whenever a worker was stopped in the middle of one."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

#: A line is looked for from the end of the file in pieces of so many bytes.
_PIECE = 1 << 16


class WholeJournal(JournalFileBackend):
    """A journal in a file, from which the line that a killed worker has left unfinished is taken out.

    Optuna would write the next line behind it, on the same line, and then no worker could read the journal any more.
    What was not finished had not been told to anybody as stored.

    Args:
        path: the file; made where there is none.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _CutLock(path))

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a number on.

        Args:
            log_number_from: the number, from 0.

        Raises:
            StorageInternalError: the file cannot be read, or has something else.
        """
        try:
            yield from super().read_logs(log_number_from)
        except (OSError, ValueError) as error:
            raise StorageInternalError(str(error)) from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add entries.

        Args:
            logs: the entries.

        Raises:
            StorageInternalError: the file cannot be written, or is gone.
        """
        try:
            super().append_logs(logs)
        except OSError as error:
            raise StorageInternalError(str(error)) from error


class _CutLock(JournalFileSymlinkLock):
    """The lock of a journal; whoever gets it first takes out what the one before has not finished."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def acquire(self) -> bool:
        """Wait for the lock, and look at the end of the file.

        Raises:
            OSError: the file is gone, or cannot be written.
        """
        got = super().acquire()
        try:
            cut_unfinished_line(self._path)
        except BaseException:
            self.release()
            raise
        return got


def cut_unfinished_line(path: Path) -> None:
    """Take out what stands behind the last line end of a file.

    Args:
        path: the file, to which nobody else writes meanwhile.

    Raises:
        OSError: it is gone, or cannot be written.
    """
    with path.open("rb+") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - (1 if end == size else _PIECE))
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                break
            end = begin
        if end < size:
            file.truncate(end)
