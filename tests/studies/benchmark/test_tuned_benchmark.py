from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsys.cli.commands import typed_command
from recsys.errors import RunError
from recsys.studies.benchmark.tuned_benchmark import train
from recsys.studies.benchmark.tuned_models import TunedModel

ROW = TunedModel("ease", "ease", ("data=toy", "model=ease"))


def ended(monkeypatch, status, output):
    commands = []

    def run(command, **options):
        commands.append(command)
        return SimpleNamespace(returncode=status, stdout=output)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_row_is_trained_in_a_process_and_names_its_run(monkeypatch):
    commands = ended(monkeypatch, 0, "a table\nrun: runs/x\n")
    assert train(ROW, ["seed=3"]) == Path("runs/x")
    (command,) = commands
    assert command[1].endswith("train.py")
    assert command[2:] == ["data=toy", "model=ease", "show_users=0", "seed=3"]


@pytest.mark.parametrize(("status", "output"), [(2, "run: runs/x"), (0, "nothing"), (0, "")])
def test_one_that_fails_is_named_with_its_command(monkeypatch, status, output):
    ended(monkeypatch, status, output)
    with pytest.raises(
        RunError, match=f"but ease failed. .* repeat: {re.escape(typed_command('train'))} data=toy model=ease"
    ):
        train(ROW, [])
