"""Trainings in processes of their own that a signal ends; benchmarks/interruptions.py does it at many moments."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scripts.running import SCRIPTS
from tests.scripts.test_train import SMALL

#: More epochs than a signal needs to arrive in.
LONG = [argument for argument in SMALL if not argument.startswith("trainer.max_epochs=")] + ["trainer.max_epochs=15"]
PATIENCE = ["fitting.patience=null", "show_users=0", "evaluation.bootstrap_samples=10"]


def ended_at(text: str, number: signal.Signals, place: Path, *arguments: str) -> str:
    """Start a training in ``place`` and send a signal once it has printed ``text``; all that it printed."""
    line = [sys.executable, "-W", "ignore", str(SCRIPTS / "train.py"), *arguments]
    output = place / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(line, cwd=place, stdout=file, stderr=file, env=os.environ | {"COLUMNS": "120"})
    started = time.monotonic()
    while text not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() - started < 1200, output.read_text()
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(600) == (130 if number == signal.SIGINT else -number)
    return output.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "kill"])
def test_a_training_goes_on_to_the_end_of_one_that_was_not_interrupted(scripts, board, number):
    whole = scripts("train", *board, *LONG, *PATIENCE).run
    before = set((scripts.directory / "runs").iterdir())
    printed = ended_at("epoch  2/15", number, scripts.directory, *board, *LONG, *PATIENCE)
    (run,) = set((scripts.directory / "runs").iterdir()) - before
    if number == signal.SIGINT:
        assert "Traceback" not in printed
        (line,) = [line for line in printed.splitlines() if line.startswith("not finished; to go on: ")]
        assert shlex.split(line)[-1] == f"resume={run.relative_to(scripts.directory)}"
    finished = scripts("train", f"resume={run}")
    assert finished.status == 0, finished.err
    assert "epoch  1/15" not in finished.out
    assert (run / "metrics.json").read_text() == (scripts.directory / whole / "metrics.json").read_text()
    assert not list(run.rglob("*.partial")) and not (run / ".lock").exists()
