"""Progress bars of all that takes time, on the one console: what is printed meanwhile stands above them.

Bars are shown on a terminal and in a notebook. Elsewhere there are none, and only lines of text are left.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from recsys.cli.console import console
from recsys.cli.data_text import data_text
from recsys.cli.notebook_bar import NotebookBar, notebook_display

T = TypeVar("T")

#: How often bars are drawn, times a second: each costs a processor of a small machine some milliseconds.
DRAWN_PER_SECOND = 4

#: What is done within this many seconds is not estimated yet.
SHORT_SECONDS = 0.5


class Bar:
    """One bar: how much of a whole is done, and how long the rest will take.

    Args:
        total: steps in all; None if it is not known.
        done: steps that were done before, of which nothing is learned about their time.
        at_most: whether the end may come earlier, as with early stopping.
        counted: whether a user knows what a step is; else the share of them is shown.
        timed: whether steps take alike, so that those that are done say how long the rest takes; else whoever counts
            them says it, or nobody.
        changed: called after each change.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        total: int | None,
        done: int = 0,
        at_most: bool = False,
        counted: bool = True,
        timed: bool = True,
        changed: Callable[[Bar], None] = lambda bar: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.done = done
        self.counted = counted
        self.timed = timed
        self.description = ""
        self._before = done
        self._at_most = at_most
        self._changed = changed
        self._clock = clock
        self._start = self._last = clock()
        self._forecast: tuple[float, str] | None = None

    def advance(self, steps: int = 1) -> None:
        """Count steps that are done now."""
        self.done += steps
        self._last = self._clock()
        self._changed(self)

    def expect(self, total: int) -> None:
        """Say how many steps there are in all."""
        self.total = total
        self._changed(self)

    def describe(self, description: str) -> None:
        """Say what is being done."""
        self.description = description
        self._changed(self)

    def forecast(self, seconds: float, of_what: str = "") -> None:
        """Say how long the rest will take from now on, in place of what the steps tell.

        Args:
            seconds: the time.
            of_what: of which part it is the rest, such as ``in the epoch``; of all unless it is said.
        """
        self._forecast = self._clock() + seconds, of_what
        self._changed(self)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take if it goes on as so far; None if nothing can be said yet."""
        if self._forecast is not None:
            return max(0.0, self._forecast[0] - self._clock())
        made, took = self.done - self._before, self._last - self._start
        if not self.timed or self.total is None or made <= 0 or took < SHORT_SECONDS:
            return None
        return max(0.0, took / made * (self.total - self.done) - (self._clock() - self._last))

    @property
    def left(self) -> str:
        """That in words; nothing where it takes longer than was expected."""
        seconds = self.seconds_left
        if seconds is None or round(seconds) < 1:
            return ""
        of_what = "" if self._forecast is None else self._forecast[1]
        if of_what:  # whose end is sure
            return f"{duration(seconds)} left {of_what}"
        return f"{'at most ' * self._at_most}{duration(seconds)} left"


class ProgressDisplay:
    """The bars of a process, one below the other, the outermost first.

    Args:
        console: where they are shown, and where lines are to be printed meanwhile.
        enabled: whether there are any; None: where the console is a terminal or a notebook.
    """

    def __init__(self, console: Console, enabled: bool | None = None) -> None:
        self._console = console
        self._enabled = enabled
        self._progress: Progress | None = None

    @property
    def enabled(self) -> bool:
        """Whether bars are shown."""
        if self._enabled is None:
            return (self._console.is_terminal and not self._console.is_dumb_terminal) or self._console.is_jupyter
        return self._enabled

    @contextmanager
    def switched(self, on: bool) -> Iterator[None]:
        """Show no bars inside the block, unless ``on``."""
        before = self._enabled
        self._enabled = before if on else False
        try:
            yield
        finally:
            self._enabled = before

    @contextmanager
    def bar(
        self,
        description: str,
        total: int | None,
        done: int = 0,
        at_most: bool = False,
        counted: bool = True,
        timed: bool = True,
    ) -> Iterator[Bar]:
        """Show a bar until the end of the block, which removes it.

        Args:
            description: what is being done.
            total: steps in all; None if it is not known.
            done: steps that were done before.
            at_most: whether the end may come earlier.
            counted: whether a user knows what a step is; else the share of them is shown.
            timed: whether steps take alike, so that those that are done say how long the rest takes.
        """
        if not self.enabled:
            yield Bar(total, done, at_most, counted, timed)
            return
        if self._console.is_jupyter:
            with notebook_display() as show:
                shown = NotebookBar(show)
                update = shown.update
                bar = Bar(
                    total,
                    done,
                    at_most,
                    counted,
                    timed,
                    lambda bar: update(bar.description, bar.done, bar.total, bar.left),
                )
                bar.describe(description)
                yield bar
            return
        outermost = self._progress is None
        progress = self._progress or self._begin()
        try:
            task = progress.add_task(description, total=total, completed=done, bar=None)
            bar = Bar(total, done, at_most, counted, timed, lambda bar: _show(progress, task, bar))
            bar.describe(description)
            progress.update(task, bar=bar)
            yield bar
        finally:
            progress.remove_task(task)
            if outermost:
                self._progress = None
                progress.stop()

    def track(self, steps: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Iterate over ``steps`` with a bar.

        Args:
            steps: what is iterated over.
            description: what is being done.
            total: number of steps, where ``steps`` does not tell it.
        """
        length = len(steps) if total is None and isinstance(steps, Sized) else total
        with self.bar(description, length) as bar:
            for step in steps:
                yield step
                bar.advance()

    def _begin(self) -> Progress:
        self._progress = Progress(
            TextColumn("{task.description:23}", markup=False),
            BarColumn(bar_width=20),
            _Count(),
            _Left(),
            console=self._console,
            transient=True,
            refresh_per_second=DRAWN_PER_SECOND,
            redirect_stderr=sys.stderr.isatty(),  # a file keeps what is its own
        )
        self._progress.start()
        return self._progress


def _show(progress: Progress, task: TaskID, bar: Bar) -> None:
    progress.update(task, description=data_text(bar.description).plain, completed=bar.done, total=bar.total)


class _Count(ProgressColumn):
    """Steps that are done, of how many; a share where there are many."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text(f"{task.completed:,.0f}" if task.completed else "")
        bar: Bar | None = task.fields.get("bar")
        counted = task.total < 1000 and (bar is None or bar.counted)
        return Text(f"{task.completed:.0f}/{task.total:.0f}" if counted else f"{task.percentage:.0f}%")


class _Left(ProgressColumn):
    """How long the rest takes."""

    def render(self, task: Task) -> Text:
        bar: Bar | None = task.fields.get("bar")
        return Text("" if bar is None else bar.left)


def duration(seconds: float) -> str:
    """A time in words that are short: ``8 s``, ``3:05 min``, ``2:05 h``.

    Example:
        >>> [duration(seconds) for seconds in (7.6, 185, 7500)]
        ['8 s', '3:05 min', '2:05 h']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


#: The bars of this process.
progress = ProgressDisplay(console)
