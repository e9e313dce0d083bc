"""Opens what a command line names, a run or a bundle, as one recommender."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.data.interactions import Interactions
from recsys.errors import DataWarning, RecsysError, RunError
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runs.trained_run import TrainedRun, open_run, training_of_run
from recsys.runtime.bundle import Bundle
from recsys.runtime.notes import counted_interactions
from recsys.runtime.recommendation import Recommender


@dataclass(frozen=True, slots=True)
class OpenedRecommender:
    """A recommender with what is printed beside its lists.

    Args:
        recommender: answers requests.
        titles_of: gives the titles of items by their ids.
        data_name: name of the data.
        popular_days: what is popular is that of so many days; None: of all time.
    """

    recommender: Recommender
    titles_of: Callable[[Sequence[str]], list[str]]
    data_name: str
    popular_days: float | None = None

    @property
    def counted(self) -> str:
        """What the scores of popular items are numbers of."""
        return counted_interactions(self.data_name, self.popular_days)


def open_recommender(
    run: str | None,
    bundle: str | None,
    num_candidates: int = 200,
    filters: object = None,
    popular_days: float | None = None,
) -> OpenedRecommender:
    """Open a run, which answers in PyTorch, or a bundle, which answers in ONNX Runtime.

    Args:
        run: directory of a finished run, or None.
        bundle: directory of a bundle, or None.
        num_candidates: of a run: candidates that diversity chooses from.
        filters: of a run: which items may be in any list; a bundle has its own.
        popular_days: of a run: what is popular is that of so many days; a bundle has its own.

    Raises:
        RunError: not exactly one of them is named, or the run cannot be opened.
        BundleError: the bundle cannot be opened.
    """
    if (run is None) == (bundle is None):
        raise RunError(f"Give either run=DIR or bundle=DIR; {'neither' if run is None else 'both'} came.")
    if run is not None:
        opened = open_run(run)
        model: Any = opened.model
        recommender = ModelRecommender(
            model,
            opened.prepared,
            num_candidates=num_candidates,
            name=Path(run).name,
            training=_training(opened),
            exclude_seen=opened.config.get("exclude_seen", True),
            filters=filters,
            popular_days=popular_days,
        )
        return OpenedRecommender(recommender, opened.prepared.titles_of, opened.prepared.schema.name, popular_days)
    from recsys.runtime.bundle_recommender import BundleRecommender  # needs the extra `serving`

    assert bundle is not None, "checked above"
    found = Bundle.open(bundle)
    return OpenedRecommender(
        BundleRecommender(found), found.titles_of, found.manifest.data.name, found.manifest.popular_days
    )


def _training(run: TrainedRun) -> Interactions | None:
    """What the model of a run was fitted on; None where its split cannot be made again."""
    try:
        return training_of_run(run)
    except RecsysError as error:
        warnings.warn(
            f"The split of {run.directory.path} cannot be made again, so that the model counts as trained with all "
            f"items and users ({error}). Train it again to tell them apart.",
            DataWarning,
            stacklevel=2,
        )
        return None
