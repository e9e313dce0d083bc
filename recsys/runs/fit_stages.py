"""Shows which stage a fit of several stages is in.

How long the stages to come take is not known before they have begun, as each trains another network: the bars of a
stage tell the time that the stage still takes, and this one how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recsys.cli.progress import ProgressDisplay, progress


@contextmanager
def fit_stages(
    count: int, shown: bool = True, display: ProgressDisplay = progress, what: str = "stage"
) -> Iterator[Callable[[str], None]]:
    """Show a bar for the stages of a fit, where it has more than one.

    Args:
        count: of the stages.
        shown: whether bars are wanted.
        display: where it is shown.
        what: a stage is called.

    Yields:
        A function that begins the next stage by its name.
    """
    if count < 2 or not shown:
        yield lambda name: None
        return
    with display.bar(f"{what} 1/{count}", count, timed=False) as bar:
        begun = 0

        def begin(name: str) -> None:
            nonlocal begun
            bar.describe(f"{what} {begun + 1}/{count}: {name}")
            if begun > 0:
                bar.advance()
            begun += 1

        yield begin
