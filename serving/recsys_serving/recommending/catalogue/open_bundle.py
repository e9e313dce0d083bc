"""A bundle that is open in this process, with the items of the API laid over it."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.retrieval.types import BoolArray
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.byte_cache import ByteCache
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.neighbours import NeighbourTable
from recsys_serving.recommending.catalogue.catalogue_description import CatalogueDescription, describe_catalogue
from recsys_serving.recommending.catalogue.catalogue_overlay import CatalogueOverlay
from recsys_serving.recommending.catalogue.catalogued_bundle import CataloguedBundle
from recsys_serving.recommending.catalogue.item_search import ItemSearch
from recsys_serving.recommending.catalogue.since_export import SinceExport
from recsys_serving.recommending.types import CatalogueItem, LoadedBundle

#: Seconds that lists which are made together may take for sampled explanations.
EXPLAIN_SECONDS = 10.0

#: Bytes of the filters whose items are kept ready: a byte for each item, and something for each filter.
MAX_MASK_BYTES = 2**24
_BYTES_OF_FILTER = 2**12


class OpenBundle:
    """Opens a bundle, checks the hash of every file, and answers once, so that the first user does not wait.

    Args:
        directory: of the bundle.
        num_threads: that work on one model.
        num_batches: batches that are answered at once; None: as there are processors for.

    Raises:
        BundleError: it is missing, damaged or of another version.
    """

    def __init__(self, directory: Path, num_threads: int = 1, num_batches: int | None = None) -> None:
        before = _resident_bytes()
        self.name = directory.name
        self.bundle = CataloguedBundle.open(directory)
        self.recommender = BundleRecommender(
            self.bundle, num_threads, explain_seconds=EXPLAIN_SECONDS, num_batches=num_batches
        )
        self.recommender.warm_up()
        self.overlay = CatalogueOverlay(self.recommender)
        self._search: ItemSearch | None = None
        self._making_search = threading.Lock()
        self._masks = ByteCache(_mask, lambda mask: mask.nbytes + _BYTES_OF_FILTER, MAX_MASK_BYTES)
        self._latest: CatalogueState = self.recommender.catalogue
        self._described: tuple[CatalogueState, CatalogueDescription] | None = None
        self._exported = self._latest
        self._since_export: tuple[CatalogueState, SinceExport] | None = None
        self.memory_bytes = max(0, _resident_bytes() - before)

    @property
    def fingerprint(self) -> str:
        """Tells the bundle from any other."""
        assert self.bundle.fingerprint is not None, "it was read from a directory"
        return self.bundle.fingerprint

    def lay_over(self, items: Sequence[CatalogueItem]) -> tuple[str, ...]:
        """Serve items of the API; returns what does not fit, in sentences."""
        with self._making_search:  # what is read for the search while items change would miss some
            notes = self.overlay.apply(items)
            if self._search is not None:
                self._search.remove([item.item_id for item in items if item.deleted])
                kept = [item.item_id for item in items if not item.deleted]
                titles = self.overlay.details(kept)
                self._search.put([(name, title) for name, (title, _) in zip(kept, titles, strict=True)])
        return notes

    def search(self) -> ItemSearch:
        """The titles of its items, put in order when they are first searched."""
        if self._search is not None:
            return self._search
        with self._making_search:
            if self._search is None:
                titles = list(self.overlay.titles())
                counts = np.zeros(len(titles))
                known = self.recommender.catalogue.num_interactions
                counts[: len(known)] = known[: len(counts)]
                search = ItemSearch(titles, counts.tolist())
                search.remove(self.overlay.deleted)
                self._search = search
            return self._search

    @cached_property
    def neighbours(self) -> NeighbourTable | None:
        """The items that are most like each one, by the model, else by content; None where nothing tells."""
        return self.bundle.neighbours("model") or self.bundle.neighbours("content")

    def mask(self, filters: Any) -> BoolArray:
        """Which items filters allow, a truth value for each row of the catalogue; kept ready for the next time.

        Raises:
            RecsysError: a column or a value does not exist.
        """
        state = self.recommender.catalogue
        if state is not self._latest:
            self._latest = state
            self._masks.clear()
        return self._masks(state, filters)

    def description(self) -> CatalogueDescription:
        """The columns of its items as they are now; read again only where an item has changed."""
        state, described = self.recommender.catalogue, self._described
        if described is None or described[0] is not state:
            described = (state, describe_catalogue(self.name, state, self.bundle.manifest.data))
            self._described = described
        return described[1]

    @property
    def since_export(self) -> SinceExport:
        """How its items differ from those of the export."""
        state, known = self.recommender.catalogue, self._since_export
        if known is None or known[0] is not state:
            known = (state, SinceExport.between(self._exported.table, self._exported.available, state))
            self._since_export = known
        return known[1]

    def is_new(self, item_ids: Sequence[str]) -> bool:
        """Whether one of some items came since the export."""
        return bool((self.recommender.items_of(item_ids) >= len(self._exported.present)).any())

    def describe(self, live: bool) -> LoadedBundle:
        """What there is to say of it."""
        manifest = self.bundle.manifest
        ranker = "" if manifest.ranker is None else f" + {manifest.ranker.model}"
        return LoadedBundle(
            name=self.name,
            fingerprint=self.fingerprint,
            model=f"{manifest.retriever.model}{ranker}",
            live=live,
            memory_bytes=self.memory_bytes,
            num_items=int(self.recommender.catalogue.available.sum()),
            num_users=manifest.data.num_users,
            created_at=manifest.created,
            data=manifest.data.name,
        )


def _mask(state: CatalogueState, filters: Any) -> BoolArray:
    return state.mask(filters)


def _resident_bytes() -> int:
    """Memory of this process; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
