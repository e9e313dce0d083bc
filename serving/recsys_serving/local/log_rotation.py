"""Keeps the log of the service from filling the disk: what is full is put aside in the place of what was before.

The file is copied and emptied, since several processes have it open, and write to wherever its end is. Lines that come
between the two are lost.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from recsys_serving.resilience.repeating_thread import RepeatingThread

#: Seconds between two looks at the size.
INTERVAL_SECONDS = 60.0


class LogRotation:
    """Looks at the size of a log every minute.

    Args:
        path: of the log; the one put aside is beside it, with ``.1`` at its end.
        max_bytes: that it may have; so both together have twice as many, and what is written within a minute.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._thread = RepeatingThread("log-rotation", self.rotate_once, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._thread.close()

    def rotate_once(self) -> bool:
        """Put the log aside where it is too large; whether it was."""
        try:
            if self._path.stat().st_size <= self._max_bytes:
                return False
        except FileNotFoundError:
            return False
        aside = self._path.with_name(self._path.name + ".1")
        part = aside.with_name(aside.name + ".part")
        shutil.copyfile(self._path, part)
        part.chmod(self._path.stat().st_mode)
        os.replace(part, aside)
        os.truncate(self._path, 0)
        return True
