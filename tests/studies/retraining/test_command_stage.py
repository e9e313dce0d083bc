"""Commands in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.errors import RunError
from recsys.studies.retraining import command_stage
from recsys.studies.retraining.command_stage import run_command_stage


@pytest.fixture
def script(tmp_path, monkeypatch):
    path = tmp_path / "train.py"
    monkeypatch.setattr(command_stage, "script_path", lambda name: tmp_path / f"{name}.py")
    return path


def test_the_last_line_names_what_was_made(script, tmp_path):
    script.write_text("import os, sys; print('fitting'); print('run: runs/' + sys.argv[1] + os.environ['WHO'])")
    assert run_command_stage("train", ["a"], tmp_path / "log", {"WHO": "b"}) == Path("runs/ab")
    assert (tmp_path / "log").read_text().splitlines() == ["fitting", "run: runs/ab"]


def test_a_failure_is_told_with_the_last_lines(script, tmp_path):
    script.write_text("import sys; print('no data'); sys.exit(2)")
    with pytest.raises(RunError, match=r"train ended with status 2(.|\n)*no data"):
        run_command_stage("train", [], tmp_path / "log")


def test_a_command_that_names_nothing_has_failed(script, tmp_path):
    script.write_text("")
    with pytest.raises(RunError, match="ended with status 0"):
        run_command_stage("train", [], tmp_path / "log")
