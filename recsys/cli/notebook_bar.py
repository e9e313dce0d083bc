"""A progress bar in a notebook: plain HTML, for which a notebook needs no further package."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: A notebook is told no more often than this, in seconds: each telling is a message to the browser.
SECONDS_BETWEEN = 0.25

#: Takes HTML that replaces what was shown before.
Show = Callable[[str], None]


class NotebookBar:
    """Shows one bar.

    Args:
        show: where it is shown.
        clock: gives the time in seconds.
    """

    def __init__(self, show: Show, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._clock = clock
        self._shown = -SECONDS_BETWEEN

    def update(self, description: str, done: int, total: int | None, left: str) -> None:
        """Say how far it is.

        Args:
            description: what is being done.
            done: steps that are done.
            total: steps in all; None if it is not known.
            left: how long the rest takes, in words.
        """
        now = self._clock()
        if now - self._shown < SECONDS_BETWEEN and done != total:
            return
        self._shown = now
        share = "" if total is None else f' value="{done}" max="{total}"'
        count = f"{done:,}" if total is None else f"{done:,}/{total:,}"
        told = html.escape(" · ".join(part for part in (description, count, left) if part))
        self._show(f"<progress{share}></progress> {told}")


@contextmanager
def notebook_display() -> Iterator[Show]:
    """A place below the cell that runs, which is empty again at the end of the block."""
    from IPython.display import HTML, display

    place = display(HTML(""), display_id=True)
    try:
        yield lambda content: place.update(HTML(content))
    finally:
        place.update(HTML(""))
