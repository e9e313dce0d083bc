"""Opens runs and bundles that are compared on interactions newer than those that they know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.vocabulary import Vocabulary
from recsys.errors import RunError
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runs.run_manifest import RunManifest
from recsys.runs.trained_run import open_run, training_of_run
from recsys.runtime.bundle import Bundle
from recsys.runtime.manifest import MANIFEST
from recsys.runtime.recommendation import Recommender


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """A run or a bundle that answers.

    Args:
        label: name in tables, unique among the contestants.
        path: its directory.
        is_bundle: whether it is a bundle.
        recommender: answers for it, as it would be served.
        manifest: what is known of its training; a bundle says nothing of time, epochs and split.
        users: its vocabulary of users.
        items: its vocabulary of items.
        known_users: user of each interaction that it knows, by its vocabulary, shape [N].
        known_items: item of each of them, shape [N].
        positive_threshold: lowest rating that it takes for a positive one; None: every interaction is.
    """

    label: str
    path: Path
    is_bundle: bool
    recommender: Recommender
    manifest: RunManifest
    users: Vocabulary
    items: Vocabulary
    known_users: np.ndarray[Any, np.dtype[np.integer[Any]]]
    known_items: np.ndarray[Any, np.dtype[np.integer[Any]]]
    positive_threshold: float | None

    def known_pairs(self, user_ids: Sequence[str]) -> pd.DataFrame:
        """The interactions that it knows of these users, as columns ``user_id`` and ``item_id``."""
        wanted = self.users.index_of(list(user_ids))
        rows = np.flatnonzero(np.isin(self.known_users, wanted[wanted >= 0]))
        return pd.DataFrame(
            {
                USER_ID: self.users.ids_of(self.known_users[rows]).to_pylist(),
                ITEM_ID: self.items.ids_of(self.known_items[rows]).to_pylist(),
            },
            dtype="object",
        ).drop_duplicates()


def open_contestants(paths: Sequence[Path]) -> list[Contestant]:
    """Open at least two runs or bundles; their data may differ, as those of last week and of today do.

    Raises:
        RunError: there are fewer than two, one is given twice, or a run cannot be opened.
        BundleError: a bundle cannot be opened.
    """
    distinct = {path.resolve() for path in paths}
    if len(distinct) < 2 or len(distinct) < len(paths):
        raise RunError(
            f"At least two different runs or bundles are required, but got {len(paths)}: {', '.join(map(str, paths))}. "
            "The first is the champion, the others are its challengers."
        )
    names = Counter(path.name for path in paths)
    labels = [path.name if names[path.name] == 1 else str(path) for path in paths]
    return [open_contestant(path, label) for path, label in zip(paths, labels, strict=True)]


def open_contestant(path: Path, label: str) -> Contestant:
    """Open a run or a bundle.

    Raises:
        RunError: a run cannot be opened.
        BundleError: a bundle cannot be opened.
    """
    return _open_bundle(path, label) if (path / MANIFEST).is_file() else _open_run(path, label)


def _open_run(path: Path, label: str) -> Contestant:
    run = open_run(path)
    prepared, model = run.prepared, run.model
    return Contestant(
        label,
        path,
        False,
        ModelRecommender(
            model,  # type: ignore[arg-type]
            prepared,
            name=label,
            training=training_of_run(run),
            exclude_seen=run.config.get("exclude_seen", True),
        ),
        run.manifest,
        prepared.user_vocabulary,
        prepared.item_vocabulary,
        prepared.interactions.user_index,
        prepared.interactions.item_index,
        prepared.schema.positive_threshold,
    )


def _open_bundle(path: Path, label: str) -> Contestant:
    from recsys.runtime.bundle_recommender import BundleRecommender  # needs the extra `serving`

    bundle = Bundle.open(path)
    data, histories = bundle.manifest.data, bundle.histories
    return Contestant(
        label,
        path,
        True,
        BundleRecommender(bundle),
        RunManifest(
            format_version=bundle.manifest.bundle_version,
            created=bundle.manifest.created,
            data_name=data.name,
            data_directory="",
            data_hash=data.content_hash,
            split_hash="",
            num_users=data.num_users,
            num_items=data.num_items,
            best_epoch=0,
            fit_seconds=0.0,
            versions=dict(bundle.manifest.versions),
        ),
        bundle.user_vocabulary,
        bundle.item_vocabulary,
        np.repeat(np.arange(data.num_users), np.diff(histories.offsets)),
        histories.items,
        data.min_rating,
    )
