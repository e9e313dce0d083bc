from __future__ import annotations

import io
import sys

import pytest

from recsys.cli.console import PlainConsole
from recsys.cli.progress import Bar, ProgressDisplay, duration
from tests.terminal import screen_lines


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_rest_takes_as_long_as_what_is_done(clock):
    bar = Bar(total=10, clock=clock)
    assert bar.left == ""
    clock.now += 8
    bar.advance(4)
    assert bar.seconds_left == 12  # two seconds a step
    clock.now += 5
    assert bar.seconds_left == 7
    assert bar.left == "7 s left"
    clock.now += 60
    assert bar.seconds_left == 0


def test_what_was_done_before_tells_nothing_of_the_time(clock):
    bar = Bar(total=30, done=20, at_most=True, clock=clock)
    clock.now += 3
    bar.advance(1)
    assert bar.seconds_left == 27
    assert bar.left == "at most 27 s left"


def test_a_forecast_takes_the_place_of_what_steps_tell(clock):
    bar = Bar(total=10, at_most=True, clock=clock)
    clock.now += 8
    bar.advance(4)
    bar.forecast(30)
    clock.now += 10
    assert bar.left == "at most 20 s left"
    bar.forecast(5, "in the epoch")
    assert bar.left == "5 s left in the epoch"
    clock.now += 6
    assert bar.left == ""  # it takes longer than was expected


def test_steps_that_do_not_take_alike_tell_nothing(clock):
    bar = Bar(total=2, timed=False, clock=clock)
    clock.now += 8
    bar.advance()
    assert (bar.seconds_left, bar.left) == (None, "")


def test_without_a_total_nothing_is_estimated_until_it_is_said(clock):
    bar = Bar(total=None, clock=clock)
    clock.now += 2
    bar.advance()
    assert bar.seconds_left is None
    bar.expect(3)
    assert bar.seconds_left == 4


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (61, "1:01 min"), (3599.9, "1:00 h"), (90_000, "25:00 h")],
)
def test_a_duration_in_words(seconds, text):
    assert duration(seconds) == text


def shown(width: int = 80) -> tuple[ProgressDisplay, PlainConsole, io.StringIO]:
    stream = io.StringIO()
    console = PlainConsole(file=stream, width=width, force_terminal=True, color_system=None)
    return ProgressDisplay(console), console, stream


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_stand_above_the_bars_which_leave_nothing(width):
    display, console, stream = shown(width)
    console.print("before")
    with display.bar("outer", 3) as outer:
        for turn in range(3):
            for step in display.track(range(40), f"inner {turn}"):
                if step % 10 == 0:
                    console.print(f"line {turn} {step}")
                display._progress.refresh()
            outer.advance()
    console.print("after")
    expected = ["before", *(f"line {turn} {step}" for turn in range(3) for step in range(0, 40, 10)), "after"]
    assert screen_lines(stream.getvalue(), width) == expected


def test_bars_stand_below_each_other_with_their_numbers():
    display, _, stream = shown()
    with display.bar("outer", 2000, done=500) as outer, display.bar("[inner] :smile:", 4) as inner:
        inner.advance()
        outer.describe("other [b]words")
        display._progress.refresh()
        lines = screen_lines(stream.getvalue(), 80)
    assert len(lines) == 2
    assert lines[0].startswith("other [b]words") and "25%" in lines[0]
    assert lines[1].startswith("[inner] :smile:") and "1/4" in lines[1]


def test_an_error_removes_the_bars():
    display, console, stream = shown()
    with pytest.raises(KeyboardInterrupt), display.bar("outer", 2), display.bar("inner", 2):
        display._progress.refresh()
        raise KeyboardInterrupt
    console.print("interrupted")
    assert screen_lines(stream.getvalue(), 80) == ["interrupted"]
    with display.bar("again", 1):
        display._progress.refresh()


def test_what_others_print_stands_above_too(capsys):
    display, _, stream = shown()
    with display.bar("outer", 2):
        sys.stdout.write("by print\n")
        display._progress.refresh()
    assert screen_lines(stream.getvalue(), 80) == ["by print"]
    assert capsys.readouterr().out == ""


def test_without_a_terminal_there_are_no_bars():
    stream = io.StringIO()
    display = ProgressDisplay(PlainConsole(file=stream, width=80))
    assert not display.enabled
    with display.bar("outer", 2) as bar:
        assert list(display.track([1, 2], "inner")) == [1, 2]
        bar.advance()
        assert bar.done == 1
    assert stream.getvalue() == ""


def test_a_dumb_terminal_has_no_bars():
    console = PlainConsole(file=io.StringIO(), width=80, force_terminal=True, _environ={"TERM": "dumb"})
    assert not ProgressDisplay(console).enabled


def test_a_loop_that_ends_early_removes_its_bar():
    display, console, stream = shown()
    for step in display.track(range(10), "fitting"):
        if step == 3:
            break
    console.print("after")
    assert screen_lines(stream.getvalue(), 80) == ["after"]
