"""All parts of ``benchmarks/gpu.py`` run at tiny sizes, and one that fails does not stop the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gpu
import pytest
import torch
from on_gpu.measurement import Ceilings, Measurement
from on_gpu.sizes import TINY

from tests.training.test_compiled_step import needs_compiler

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
CEILINGS = Ceilings(1e9, {"float32": 1e9, "bfloat16": 1e9})


@pytest.mark.filterwarnings("ignore")  # whatever PyTorch's compiler warns of is not for us
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=needs_compiler if part == "compiled" else ()) for part in gpu.PARTS]
)
def test_a_part_gives_a_time_and_a_floor(part):
    records = list(gpu.run_parts([part], CPU, TINY, CEILINGS, seconds=600))
    assert records
    for record in records:
        assert "error" not in record, record
        assert record["name"].startswith(f"{part}/")
        assert min(record["seconds"], record["floor_bytes"], record["floor_operations"]) > 0


def test_a_part_that_fails_is_named_and_the_others_go_on(monkeypatch):
    def fails(device, sizes):
        yield Measurement("broken/first", 1.0, 1, 1)
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")

    monkeypatch.setitem(gpu.PARTS, "broken", fails)
    records = list(gpu.run_parts(["broken", "ease"], CPU, TINY, CEILINGS, seconds=600))
    assert [record["name"] for record in records] == ["broken/first", "broken", "ease/fit"]
    assert records[1]["error"] == "OutOfMemoryError: CUDA out of memory."


def test_a_part_that_would_begin_too_late_is_left_out_and_named():
    (record,) = gpu.run_parts(["ease"], CPU, TINY, CEILINGS, seconds=-1)
    assert "left out" in record["error"]


def test_the_command_writes_lines_and_a_page(tmp_path):
    command = [sys.executable, "benchmarks/gpu.py", "--tiny", "--only", "ease", "--output", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "gpu.jsonl").read_text())["name"] == "ease/fit"
    assert "`ease/fit`" in (tmp_path / "gpu.md").read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_only_tiny_sizes_run():
    done = subprocess.run([sys.executable, "benchmarks/gpu.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--tiny" in done.stderr
