"""One directory for all processes of a test run, for what is made once and only read after that."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def shared_directory(name: str) -> Path:
    """A directory that is the same in all workers of a test run, and another one in the next run."""
    test_run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if test_run is None:
        alone = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        atexit.register(shutil.rmtree, alone, ignore_errors=True)
        return alone
    directory = Path(tempfile.gettempdir()) / f"{name}-{test_run}"
    directory.mkdir(exist_ok=True)
    return directory


def remove_shared_directories(test_run: str) -> None:
    """Delete those of a test run, whose workers have all ended."""
    for directory in Path(tempfile.gettempdir()).glob(f"*-{test_run}"):
        shutil.rmtree(directory, ignore_errors=True)
