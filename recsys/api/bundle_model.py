"""A bundle as a notebook has it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.api.frame_recommender import FrameRecommender
from recsys.api.ids import as_text, restored
from recsys.api.python_wording import python_wording
from recsys.cli.process.extras import missing_library
from recsys.data.id_types import IdTypes
from recsys.data.interactions import IndexArray
from recsys.errors import BundleError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender


class BundleModel(FrameRecommender):
    """Answers from a bundle, without PyTorch.

    Args:
        bundle: what answers.
        id_types: the types of the ids in tables that are given; None: those of the user's tables, as the bundle has
            noted them.

    Raises:
        BundleError: a file is damaged.
    """

    def __init__(self, bundle: Bundle, id_types: IdTypes | None = None) -> None:
        self.bundle = bundle
        self._id_types = id_types or bundle.manifest.data.id_types
        self._recommender = BundleRecommender(bundle)

    def recommender(self) -> BundleRecommender:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self._recommender

    def id_types(self) -> IdTypes:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self._id_types

    def user_labels(self) -> pd.Series:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return restored(self.bundle.user_vocabulary.ids, self._id_types.user)

    def seen_counts(self, user_ids: Sequence[str]) -> IndexArray:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        index = self.bundle.user_vocabulary.index_of(list(user_ids))
        return np.where(index < 0, 0, self.bundle.histories.counts[index]).astype(np.int32)

    def identity(self) -> str:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        files = sorted(f"{name} {file.sha256}" for name, file in self.bundle.manifest.files.items())
        return hashlib.sha256("\n".join(files).encode()).hexdigest()

    def version(self) -> str:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return f"{self.bundle.manifest.name}, made {self.bundle.manifest.created}"

    def same_for_all(self) -> bool:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.bundle.manifest.retriever.reads.nothing

    def titles_of(self, item_ids: Sequence[str]) -> list[str]:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.bundle.titles_of(item_ids)

    def remove_items(self, item_ids: Any) -> None:
        """Recommend these items no more."""
        self._recommender.remove_items(as_text(item_ids, "item_ids"))

    def __repr__(self) -> str:
        data = self.bundle.manifest.data
        return f"BundleModel({str(self.bundle.directory)!r}: {data.num_users:,} users, {data.num_items:,} items)"


@python_wording
def load_bundle(path: str | Path) -> BundleModel:
    """Open a bundle, which answers without PyTorch.

    Raises:
        BundleError: it is missing or damaged, or the extra ``serving`` is not installed.
    """
    return opened_bundle(path)


def opened_bundle(path: str | Path) -> BundleModel:
    """As :func:`load_bundle`, with messages in the words of the command line.

    Raises:
        BundleError: it is missing or damaged, or the extra ``serving`` is not installed.
    """
    bundle = Bundle.open(path)
    try:
        return BundleModel(bundle)
    except ModuleNotFoundError as error:
        raise BundleError(missing_library(error) or str(error)) from error
