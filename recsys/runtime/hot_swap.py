"""Swaps the bundle that answers while requests are answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from recsys.errors import BundleError, RecsysError, RequestError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.item_values import ItemValues
from recsys.runtime.manifest import fingerprint_of
from recsys.runtime.recommendation import Recommendation, SimilarItems, SimilarityKind
from recsys.runtime.request import RecommendationRequest

_log = logging.getLogger(__name__)


class HotSwapRecommender:
    """Answers from one bundle at a time.

    Each request is answered by the bundle that is live when it comes, from its first stage to its last. A new bundle
    is opened, checked and warmed up beside the old one before it takes over, and one that cannot be opened changes
    nothing. The bundle before stays loaded, so that rolling back takes no time; this needs the memory of two, and of
    three while a new one is being opened. What :meth:`update_items` has told of the items holds for each bundle that
    answers from then on.

    Args:
        directory: of the first bundle.
        make: what answers from a bundle.

    Raises:
        BundleError: the bundle cannot be opened.
    """

    def __init__(self, directory: Path | str, make: Callable[[Bundle], BundleRecommender] = BundleRecommender) -> None:
        self._make = make
        self._changing = threading.Lock()
        self._updating = threading.Lock()
        self._values: dict[str, dict[str, object]] = {}
        self._current = self._opened(directory)
        self._previous: BundleRecommender | None = None

    @property
    def bundle(self) -> Bundle:
        """The bundle that is live."""
        return self._current.bundle

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """See :meth:`recsys.runtime.recommendation.Recommender.recommend`; all from one bundle."""
        return self._current.recommend(requests)

    def recommend_one(self, request: RecommendationRequest) -> Recommendation:
        """See :meth:`recsys.runtime.recommendation.Recommender.recommend_one`."""
        return self._current.recommend_one(request)

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """See :meth:`recsys.runtime.recommendation.Recommender.similar`."""
        return self._current.similar(item_ids, k, by)

    def update_items(self, values: ItemValues) -> None:
        """See :meth:`recsys.runtime.bundle_recommender.BundleRecommender.update_items`; also of the bundles to come.

        Raises:
            RequestError: an item is unknown, or a value does not fit its column. Then nothing is changed.
        """
        with self._updating:
            self._current.update_items(values)
            if self._previous is not None:
                self._previous.update_items(self._previous.known_values(values))
            for column, of_items in values.items():
                self._values.setdefault(column, {}).update(of_items)

    def activate(self, directory: Path | str) -> None:
        """Let another bundle answer from now on, of another directory or one that came in the place of the old one.

        Raises:
            BundleError: it cannot be opened, or its items have other columns than :meth:`update_items` was told of; the
                old one goes on.
        """
        with self._changing:
            new = self._opened(directory)
            with self._updating:
                try:
                    new.update_items(new.known_values(self._values))
                except RequestError as error:
                    raise BundleError(
                        f"{directory} cannot take over, because what is known of the items does not fit it: {error}"
                    ) from error
                self._previous, self._current = self._current, new

    def roll_back(self) -> None:
        """Let the bundle before answer again; doing it twice comes back to the one now.

        Raises:
            BundleError: there was none.
        """
        with self._changing, self._updating:
            if self._previous is None:
                raise BundleError(
                    f"A bundle that was live before is required to go back to, but {self.bundle.directory} is the "
                    "first. Activate another bundle."
                )
            self._previous, self._current = self._current, self._previous

    def watch(self, wanted: Callable[[], Path], interval_seconds: float, stop: threading.Event) -> threading.Thread:
        """Activate whatever bundle is wanted, in a thread that looks again and again.

        A bundle that was exported anew under the same name is another one: it is known by the hash of its manifest.

        Args:
            wanted: gives the directory of the bundle that should be live.
            interval_seconds: between two looks.
            stop: ends it.

        Returns:
            The thread, started. What goes wrong is logged, and the bundle that is live stays.
        """

        def look() -> None:
            refused: tuple[Path, str | None] | None = None
            while not stop.wait(interval_seconds):
                try:
                    directory = wanted()
                    found, live = (directory, fingerprint_of(directory)), self.bundle
                    if found not in ((live.directory, live.fingerprint), refused):
                        # A bundle that was refused once is not opened again until another is wanted.
                        refused = found
                        self.activate(directory)
                        refused = None
                except RecsysError as error:
                    _log.warning("%s stays live: %s", self.bundle.directory, error)

        thread = threading.Thread(target=look, name="watch-bundle", daemon=True)
        thread.start()
        return thread

    def _opened(self, directory: Path | str) -> BundleRecommender:
        recommender = self._make(Bundle.open(directory))
        recommender.warm_up()
        return recommender
