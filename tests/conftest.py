"""What tests of several directories share."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from recsys_serving.triton.server_environment import server_environment

from recsys.errors import ServingError
from tests.shared_directory import remove_shared_directories, shared_directory

ROOT = Path(__file__).parents[1]

# Processes that tests start run the code of this checkout, whichever one the environment was installed from.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), str(ROOT / "serving"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# On a busy machine one slow example is no failure.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A process in the background of a script ignores Ctrl-C, and so do those that it starts; some tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def triton_environment() -> Path:
    """The Python environment of a Triton server, made once and kept; skips the test where it cannot be had."""
    path = ROOT / ".triton" / "venv"
    try:
        server_environment(path)
    except ServingError as error:
        pytest.skip(f"no Triton server on this machine: {error}")
    return path


@pytest.fixture(scope="session")
def two_ranks() -> dict[str, Any]:
    """What each of two ranks gave in the parts of ``tests/distributed/parts.py``, and their directory.

    They run once for all workers of a test run.
    """
    from tests.distributed import parts
    from tests.distributed.processes import run_in_ranks

    directory = shared_directory("recsys-two-ranks")
    results = directory / "results"
    with FileLock(directory / "lock"):
        if not results.is_file():
            parts.begun(directory / "from_one")
            parts.sharded_begun(directory / "whole_begun")
            results.write_bytes(pickle.dumps(run_in_ranks(parts.of_all(directory))))
    found: dict[str, Any] = pickle.loads(results.read_bytes())
    return {**found, "directory": directory}


def pytest_collection_finish() -> None:
    """Where the tests import PyTorch, they do not repeat its exports to ONNX."""
    if "torch" in sys.modules:
        from tests.export.export_cache import install

        install()


_test_runs: set[str] = set()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended; others may still need what they share."""
    _test_runs.add(node.workerinput["testrunuid"])


def pytest_unconfigure() -> None:
    """Where workers ran the tests, the process that started them tidies up."""
    for test_run in _test_runs:
        remove_shared_directories(test_run)
