from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsys.cli.commands import typed_command
from tests.studies.leaderboard.inline_worker import InlineWorker

ROWS = '+tuned={popularity: [], ease_strong: ["model=ease", "model.l2=50"]}'


@pytest.fixture
def in_process(scripts, monkeypatch):
    """Runs what would be processes here, and hands over what they print."""
    commands = []

    def run(command, **options):
        commands.append(command)
        finished = scripts("train", *command[2:])
        return SimpleNamespace(returncode=finished.status, stdout=finished.out, stderr=finished.err)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_trains_every_row_and_writes_the_page(scripts, board, in_process):
    finished = scripts("benchmark_models", *board, ROWS, "tracking=none", "output=out/page.md")
    assert finished.status == 0, finished.err
    assert finished.out.strip().splitlines()[-1] == "results: out/page.md"
    text = (scripts.directory / "out/page.md").read_text()
    assert "ndcg@10 against popularity" in text
    assert (
        "- ease_strong: `python scripts/train.py data=table model=ease model.l2=50 refit=true name=ease_strong" in text
    )
    assert len(in_process) == 2
    assert all("tracking=none" in command and "data.items=items.csv" in command for command in in_process)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["models=[oracle]"], "models must be among bayesian_mf, bias"),
        (["minutes=0"], "minutes must be above 0, but it is 0"),
        (["+tuned={oracle: []}"], "the model oracle, which has no configuration"),
        ([ROWS, "models=[mf]"], "must be among those of configs/tuned/table.yaml"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_is(scripts, board, in_process, arguments, message):
    finished = scripts("benchmark_models", *board, *arguments)
    assert finished.status == 2
    assert message in finished.err
    assert in_process == []


def test_a_training_that_fails_is_named(scripts, board, in_process):
    finished = scripts("benchmark_models", *board, ROWS, "tracking=none", "trainer.devices=2")
    assert finished.status == 2
    assert "but popularity failed" in finished.err


def test_without_tuned_settings_it_searches_and_names_what_goes_on(scripts, board, monkeypatch):
    monkeypatch.setattr(InlineWorker, "train", scripts, raising=False)
    monkeypatch.setattr("recsys.studies.leaderboard.running.Worker", InlineWorker)
    asked = ["models=[popularity,ease,bias]", "minutes=5", "trials=1", "tracking=none", "output=out"]
    finished = scripts("benchmark_models", *board, "evaluation.bootstrap_samples=20", *asked)
    assert finished.status == 0, finished.err
    lines = finished.out.strip().splitlines()
    page = Path(lines[-1].removeprefix("results: "))
    assert page.name == "leaderboard.md" and page.parent.parent == Path("out")
    assert "- bias: Bias predicts ratings, but table has none" in (scripts.directory / page).read_text()
    # As they can be typed here, where the interpreter is perhaps not what `python` finds.
    typed = [typed_command(name) for name in ("recommend", "export", "train", "tune")]
    commands = [line.strip() for line in lines if line.startswith("  ")][-len(typed) :]
    assert [command.startswith(f"{start} ") for command, start in zip(commands, typed, strict=True)] == [True] * 4
    # A study goes on where the benchmark left it.
    _, _, *arguments = shlex.split(commands[-1])
    again = scripts("tune", *[text for text in arguments if not text.startswith("trials=")], "trials=2")
    assert "1 of 2 trials were there already" in again.out, again.err
    resumed = scripts("benchmark_models", f"resume={page.parent}")
    assert resumed.status == 2 and "is finished; there is nothing to resume" in resumed.err
