from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

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
        ([], "there are none for data=table"),
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
