from pathlib import Path

import pytest

from recsys.cli.process.memory import available_memory


def test_the_memory_that_is_left_is_less_than_there_is():
    free = available_memory()
    assert free is None or 0 < free < 2**50


@pytest.mark.parametrize(("limit", "expected"), [("max\n", 4096 * 1024), ("3000000\n", 2000000), ("500000\n", 0)])
def test_a_container_may_have_less(monkeypatch: pytest.MonkeyPatch, limit: str, expected: int) -> None:
    files = {
        "/proc/meminfo": "MemTotal: 9999 kB\nMemAvailable: 4096 kB\n",
        "/sys/fs/cgroup/memory.max": limit,
        "/sys/fs/cgroup/memory.current": "1000000\n",
    }
    monkeypatch.setattr(Path, "read_text", lambda path, **_: files[str(path)])
    assert available_memory() == expected


def test_a_system_may_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert available_memory() is None
