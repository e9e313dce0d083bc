"""What a repository says of the items that a server recommends, for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recsys.runtime.bundle import Bundle
from recsys.runtime.notes import counted_interactions
from recsys_serving.triton.interface import RECOMMENDER
from recsys_serving.triton.served_bundle import BUNDLE


def served_titles(repository: Path | None, version: str) -> Callable[[Sequence[str]], list[str]]:
    """What gives the titles of items by their ids; the id where an item has none, or came after the export.

    Args:
        repository: that the server reads; None: ids stand for titles, as where it does not have the version.
        version: that answered.
    """
    bundle = _bundle(repository, version)
    return list if bundle is None else bundle.titles_of


def served_count(repository: Path | None, version: str) -> str:
    """What the scores of popular items are numbers of; arguments as for :func:`served_titles`."""
    bundle = _bundle(repository, version)
    if bundle is None:
        return "interactions"
    return counted_interactions(bundle.manifest.data.name, bundle.manifest.popular_days)


def _bundle(repository: Path | None, version: str) -> Bundle | None:
    directory = None if repository is None else repository / RECOMMENDER / version / BUNDLE
    return None if directory is None or not directory.is_dir() else Bundle.open(directory, verify=False)
