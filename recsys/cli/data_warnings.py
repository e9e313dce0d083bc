"""How commands tell warnings about data: a line each, or an error with ``strict=true``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TextIO

from recsys.cli.data_text import visible
from recsys.cli.line_wrapping import for_stream
from recsys.errors import DataError, DataWarning


@contextmanager
def data_warnings_to(take: Callable[[str], None], action: Literal["always", "error"] = "always") -> Iterator[None]:
    """Give the text of each :class:`~recsys.errors.DataWarning` to ``take``; other warnings are shown as ever.

    Args:
        take: gets the texts.
        action: ``error`` to raise the first warning instead.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(action, DataWarning)
        show = warnings.showwarning

        def given(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, DataWarning):
                take(str(message))
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = given
        yield


@contextmanager
def told_data_warnings(strict: bool = False) -> Iterator[None]:
    """Print each :class:`~recsys.errors.DataWarning` as a line on standard error; other warnings are shown as ever.

    Args:
        strict: whether a warning is an error.

    Raises:
        DataError: there is a warning, and they are errors.
    """

    def tell(text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(for_stream(f"warning: {visible(text)}\n", sys.stderr))

    with data_warnings_to(tell, "error" if strict else "always"):
        try:
            yield
        except DataWarning as warning:
            raise DataError(f"{warning} This is an error because of strict=true.") from warning
