"""How commands tell warnings about data: a line each, or an error with ``strict=true``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from recsys.cli.data_text import visible
from recsys.errors import DataError, DataWarning


@contextmanager
def told_data_warnings(strict: bool = False) -> Iterator[None]:
    """Print each :class:`~recsys.errors.DataWarning` as a line on standard error; other warnings are shown as ever.

    Args:
        strict: whether a warning is an error.

    Raises:
        DataError: there is a warning, and they are errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error" if strict else "always", DataWarning)
        show = warnings.showwarning

        def tell(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, DataWarning):
                sys.stdout.flush()
                sys.stderr.write(f"warning: {visible(str(message))}\n")
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = tell
        try:
            yield
        except DataWarning as warning:
            raise DataError(f"{warning} This is an error because of strict=true.") from warning
