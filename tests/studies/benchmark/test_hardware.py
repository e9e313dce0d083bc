from __future__ import annotations

import os
import re

import pytest
import torch

from recsys.studies.benchmark import hardware
from recsys.studies.benchmark.hardware import hardware_summary


def test_the_parts_are_in_their_order() -> None:
    summary = hardware_summary()
    number = r"[\d,]+"
    assert re.search(rf", {number} cores, {number} threads, (\d+ GiB of memory, )?.+, \w+$", summary), summary
    assert f"{torch.get_num_threads()} threads" in summary


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not tell the usable cores")
def test_only_cores_that_may_be_used_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert ", 3 cores, " in hardware_summary()


def test_the_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert ", no GPU, " in hardware_summary()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Toy GPU")
    assert ", Toy GPU, " in hardware_summary()


def test_the_processor_is_read_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "processor\t: 0\nmodel name\t: Toy CPU @ 2 GHz\nmodel name\t: other\n"
    monkeypatch.setattr(hardware.Path, "read_text", lambda *_, **__: content)
    assert hardware_summary().startswith("Toy CPU @ 2 GHz, ")


def test_without_that_file_the_platform_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(hardware.Path, "read_text", missing)
    monkeypatch.setattr(hardware.platform, "processor", lambda: "")
    monkeypatch.setattr(hardware.platform, "machine", lambda: "riscv64")
    assert hardware_summary().startswith("riscv64, ")
