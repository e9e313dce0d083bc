"""What a person sees of a training: every line of it, none broken by a bar, on a real pseudo-terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.scripts.running import SCRIPTS, Scripts
from tests.terminal import on_terminal, screen_lines

#: Hybrid and sources have bars one below the other.
ARGUMENTS = [
    *("model=hybrid", "model/sources=[ease,mf]", "tracking=none", "trainer.accelerator=cpu", "trainer.max_epochs=3"),
    *("sources_training.mf.trainer.max_epochs=2", "show_users=1", "evaluation.bootstrap_samples=0"),
]


def told(text: str) -> list[str]:
    """The words of an output without what differs from run to run: times, and the name of the directory."""
    text = re.sub(r"\d+\.\d s|\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d+)?|\\\n", "", text)
    return [word.replace("**", "") for word in text.replace("-", " ").split()]


@pytest.mark.parametrize("columns", [80])
def test_no_line_of_a_training_is_lost_overwritten_or_too_wide(
    scripts: Scripts, board: list[str], tmp_path: Path, columns: int
) -> None:
    assert scripts("prepare", *board).status == 0  # what is told of data that are new is told once
    plain = scripts("train", *board, *ARGUMENTS)
    assert plain.status == 0, plain.err
    command = [sys.executable, str(SCRIPTS / "train.py"), *board, *ARGUMENTS]
    status, stream = on_terminal(command, columns, tmp_path)
    lines = screen_lines(stream, columns)
    assert status == 0, lines
    assert b"fitting" in stream and "━".encode() in stream, "bars were shown"
    assert "━" not in "".join(lines), "and leave nothing"
    assert told("\n".join(lines)) == told(plain.out)
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("columns", [40, 80])
def test_an_error_is_broken_between_words(scripts: Scripts, tmp_path: Path, columns: int) -> None:
    plain = scripts("prepare", "data=nowhere")
    assert plain.status == 2 and len(plain.err.splitlines()) == 1 and len(plain.err) > 2 * columns
    status, stream = on_terminal([sys.executable, str(SCRIPTS / "prepare.py"), "data=nowhere"], columns, tmp_path)
    lines = screen_lines(stream, columns)
    assert status == 2
    assert " ".join(lines).split() == plain.err.split()
    assert 1 < len(lines) and max(map(len, lines)) <= columns
