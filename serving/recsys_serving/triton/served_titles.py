"""Titles of what a server recommends, from its repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recsys.runtime.bundle import Bundle
from recsys_serving.triton.interface import RECOMMENDER
from recsys_serving.triton.served_bundle import BUNDLE


def served_titles(repository: Path | None, version: str) -> Callable[[Sequence[str]], list[str]]:
    """What gives the titles of items by their ids; the id where an item has none, or came after the export.

    Args:
        repository: that the server reads; None: ids stand for titles, as where it does not have the version.
        version: that answered.
    """
    directory = None if repository is None else repository / RECOMMENDER / version / BUNDLE
    return list if directory is None or not directory.is_dir() else Bundle.open(directory, verify=False).titles_of
