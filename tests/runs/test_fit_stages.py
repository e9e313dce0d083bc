from __future__ import annotations

import io

import pytest

from recsys.cli.console import PlainConsole
from recsys.cli.progress import ProgressDisplay
from recsys.runs.fit_stages import fit_stages
from tests.terminal import screen_lines


def shown() -> tuple[ProgressDisplay, io.StringIO]:
    stream = io.StringIO()
    return ProgressDisplay(PlainConsole(file=stream, width=80, force_terminal=True, color_system=None)), stream


def test_the_bar_says_which_stage_of_how_many():
    display, stream = shown()
    with fit_stages(2, display=display, what="part") as begin:
        for name, line in (("sources", "part 1/2: sources"), ("the ranker", "part 2/2: the ranker")):
            begin(name)
            display._progress.refresh()
            (found,) = screen_lines(stream.getvalue(), 80)
            assert found.startswith(line)
    assert screen_lines(stream.getvalue(), 80) == []


def test_stages_that_are_done_tell_nothing_of_the_time_of_the_next(monkeypatch):
    display, stream = shown()
    with fit_stages(3, display=display) as begin:
        begin("a")
        monkeypatch.setattr("time.monotonic", lambda: 1e9)
        begin("b")
        display._progress.refresh()
    assert " left" not in stream.getvalue()


@pytest.mark.parametrize(("count", "bars"), [(1, True), (3, False)])
def test_one_stage_or_unwanted_bars_show_nothing(count, bars):
    display, stream = shown()
    with fit_stages(count, bars, display) as begin:
        begin("a")
    assert stream.getvalue() == ""
