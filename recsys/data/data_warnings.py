"""Warnings about data: collected while data are prepared, kept with them, and told again when they are trained on."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from recsys.cli.data_warnings import data_warnings_to
from recsys.errors import DataWarning


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect the texts of :class:`~recsys.errors.DataWarning`, each once; other warnings are shown as ever."""
    texts: list[str] = []

    def collect(text: str) -> None:
        if text not in texts:
            texts.append(text)

    with data_warnings_to(collect):
        yield texts


def tell_again(texts: Iterable[str]) -> None:
    """Give warnings that were collected."""
    for text in texts:
        warnings.warn(text, DataWarning, stacklevel=3)
