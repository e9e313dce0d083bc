"""Lets one process at a time make an update, and leaves nothing of one that was not finished."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from recsys.runs.run_directory import UPDATE_MARK, RunDirectory


@dataclass(frozen=True, slots=True)
class UpdateInProgress:
    """An update that no other process makes meanwhile.

    Args:
        key: the same for the same run and the same data.
    """

    key: str

    @contextmanager
    def in_directory(self, path: Path) -> Iterator[None]:
        """Mark a run directory as that of this update until it is finished; it is deleted where that fails."""
        try:
            (path / UPDATE_MARK).write_text(self.key, encoding="utf-8")
            yield
            (path / UPDATE_MARK).unlink()
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise

    def clear(self, runs: Path) -> None:
        """Delete what processes have left that made this update and were killed before they had finished."""
        for mark in runs.glob(f"*/{UPDATE_MARK}"):
            with suppress(OSError):
                if mark.read_text(encoding="utf-8") != self.key:
                    continue
                if RunDirectory(mark.parent).is_finished:
                    mark.unlink()
                else:
                    shutil.rmtree(mark.parent)


@contextmanager
def one_update_at_a_time(
    runs: Path, parent: Path, data_hash: str, print_line: Callable[[str], None]
) -> Iterator[UpdateInProgress]:
    """Wait until no other process makes the same update.

    The lock ends with the process that holds it, however that ends. Where the file system has no locks there is none.

    Args:
        runs: directory of the runs.
        parent: the run that is updated.
        data_hash: of the data that it is updated with.
        print_line: told where this waits.
    """
    key = hashlib.sha256(f"{parent}\n{data_hash}".encode()).hexdigest()
    update, path = UpdateInProgress(key), runs / f".{key[:12]}.update.lock"
    lock = FileLock(path)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print_line("another process makes this update; waiting for it")
            lock.acquire()
    except (OSError, NotImplementedError):
        yield update
        return
    try:
        update.clear(runs)
        yield update
    finally:
        path.unlink(missing_ok=True)
        lock.release()
