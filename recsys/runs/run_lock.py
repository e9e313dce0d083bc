"""One process at a time trains in a run directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from recsys.errors import RunError

LOCK = ".lock"


@contextmanager
def locked_run(path: Path) -> Iterator[None]:
    """Keep other processes from training in the run directory ``path``.

    The lock ends with the process that holds it, however that ends. Where the file system has no locks there is none.

    Raises:
        RunError: another process trains there.
    """
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            f"One process at a time may train in {path}, and another one does. Wait until it has ended, or stop it."
        ) from None
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        (path / LOCK).unlink(missing_ok=True)  # while it is held: afterwards it may be another's
        lock.release()
