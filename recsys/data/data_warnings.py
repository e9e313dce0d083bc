"""Warnings about data: collected while data are prepared, kept with them, and told again when they are opened."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from recsys.errors import DataWarning


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect the texts of :class:`~recsys.errors.DataWarning`, each once; other warnings are shown as ever."""
    texts: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        show = warnings.showwarning

        def collect(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, DataWarning):
                show(message, category, filename, lineno, file, line)
            elif str(message) not in texts:
                texts.append(str(message))

        warnings.showwarning = collect
        yield texts


def tell_again(texts: Iterable[str]) -> None:
    """Give warnings that were collected."""
    for text in texts:
        warnings.warn(text, DataWarning, stacklevel=3)
