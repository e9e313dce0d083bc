"""Brings this worker to what all workers share: items of the API, the live bundle, the experiments.

Every answer reads three revisions with the state of its user. Where one is newer than the worker's, the answer waits a
moment while one thread reads what is new; an answer whose time is over goes on with what there is, and the thread
finishes. So a new item, one that is gone, another bundle and an experiment are known to the next answer of each worker.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Sequence

from recsys.errors import RecsysError
from recsys_serving.recommending.assignments import Assignments
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.types import CatalogueItem
from recsys_serving.recommending.user_states import Revisions
from recsys_serving.resilience.dependency import Dependency, DependencyUnavailable
from recsys_serving.spool.errors import SpoolError
from recsys_serving.spool.spool import Spool
from recsys_serving.store.items.records import Item
from recsys_serving.store.store import Store

_log = logging.getLogger(__name__)

#: Changed items that are read at once.
PAGE = 1000
#: Revisions of a worker that has read nothing yet.
NOTHING = Revisions(-1, -1, -1)
#: Commands of the spool that change items.
ITEM_COMMANDS = ("item_put", "item_update", "item_delete")


class CatalogueItems:
    """The items of the API, as this worker knows them, laid over every bundle that is open.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._items: dict[str, CatalogueItem] = {}
        self._opened: list[OpenBundle] = []
        self._worker = uuid.uuid4().hex[:8]
        self._num_local = 0
        self._revision = -1

    def lay_over(self, opened: OpenBundle) -> None:
        """Lay all items over a bundle that was opened, and all later changes too."""
        with self._lock:
            notes = opened.lay_over(list(self._items.values()))
            if notes:
                _log.warning("%s: %d items do not fit, first: %s", opened.name, len(notes), notes[0])
            self._opened.append(opened)

    def change(self, items: Sequence[CatalogueItem], revision: int | None = None) -> None:
        """Know items by other values.

        Args:
            items: whole, as they are now.
            revision: of the store that they bring; None: they are known to this worker alone.
        """
        with self._lock:
            for item in items:
                self._items[item.item_id] = item
            for opened in self._opened:
                opened.lay_over(items)
            if revision is None:
                self._num_local += 1
            else:
                self._revision = revision

    def settle(self) -> None:
        """Say that all items of this worker are in the store."""
        with self._lock:
            self._num_local = 0

    def keep(self, opened: Sequence[OpenBundle]) -> None:
        """Let go of bundles that are no longer open."""
        with self._lock:
            self._opened = [one for one in self._opened if one in opened]

    def get(self, item_id: str) -> CatalogueItem | None:
        """An item of the API; None: it has said nothing of it."""
        return self._items.get(item_id)

    @property
    def version(self) -> str:
        """Changes with every change, and is the same in all workers that know the same items of the store."""
        return f"{self._revision}" if self._num_local == 0 else f"{self._revision}+{self._worker}.{self._num_local}"


class WorkerSync:
    """Reads what is new, in one thread.

    Args:
        store: of what all workers share.
        spool: changes of items that wait for the store; None: there is none.
        dependency: how the store is asked, without a limit as short as that of an answer.
        pool: of the bundles.
        items: of the API.
        assignments: of the experiments.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool | None,
        dependency: Dependency,
        pool: BundlePool,
        items: CatalogueItems,
        assignments: Assignments,
    ) -> None:
        self._store, self._spool, self._dependency = store, spool, dependency
        self._pool, self._items, self._assignments = pool, items, assignments
        self._changed = threading.Condition()
        self._wanted, self._reached = NOTHING, NOTHING
        self._num_rounds = self._num_failed = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="worker-sync", daemon=True)
        self._thread.start()

    def ensure(self, revisions: Revisions, wait_seconds: float) -> bool:
        """Bring the worker to these revisions; False where the store fails, or that takes longer than the wait."""
        reached = self._reached
        if (
            revisions.catalogue <= reached.catalogue
            and revisions.deployment <= reached.deployment
            and revisions.experiment <= reached.experiment
        ):
            return True
        with self._changed:
            self._wanted = _newest(self._wanted, revisions)
            self._changed.notify_all()
            rounds, failed = self._num_rounds, self._num_failed
            self._changed.wait_for(
                lambda: (
                    _includes(self._reached, revisions) or self._num_failed > failed or self._num_rounds > rounds + 1
                ),
                wait_seconds,
            )
            return _includes(self._reached, revisions)

    def start(self, wait_seconds: float) -> bool:
        """Read everything for the first time; False where the store is away, and only the spool was read."""
        self._read_spool()
        return self.ensure(Revisions(0, 0, 0), wait_seconds)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(5)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or not _includes(self._reached, self._wanted))
                if self._closed:
                    return
            reached: Revisions | None = None
            try:
                reached = self._read()
            except DependencyUnavailable as error:
                _log.info("What all workers share was not read: %s", error)
            except Exception:
                _log.exception("What all workers share could not be taken over.")
            with self._changed:
                if reached is None:
                    # It is wanted again by the next answer, not by this thread for ever.
                    self._wanted = self._reached
                    self._num_failed += 1
                else:
                    self._reached = reached
                self._num_rounds += 1
                self._changed.notify_all()

    def _read(self) -> Revisions:
        reached = self._reached
        experiment = self._dependency.call(self._store.experiments.revision)
        if experiment > reached.experiment:
            self._assignments.take(self._dependency.call(self._store.experiments.list_experiments))
        catalogue = self._read_items(reached.catalogue)
        deployment = self._dependency.call(self._store.deployments.revision)
        if deployment > reached.deployment:
            self._activate()
        self._open_variants()
        return Revisions(catalogue, deployment, experiment)

    def _read_items(self, reached: int) -> int:
        revision = self._dependency.call(self._store.items.revision)
        while True:
            page = self._changes_since(reached)
            if not page:
                break
            reached = max(reached, page[-1].revision)
            self._items.change([catalogue_item(item) for item in page], reached)
        if self._nothing_waits():
            self._items.settle()
        reached = max(reached, revision)
        self._items.change([], reached)
        return reached

    def _nothing_waits(self) -> bool:
        try:
            return self._spool is None or self._spool.is_empty()
        except SpoolError:
            return False

    def _changes_since(self, revision: int) -> Sequence[Item]:
        return self._dependency.call(lambda: self._store.items.changes_since(revision, PAGE))

    def _activate(self) -> None:
        current = self._dependency.call(self._store.deployments.current)
        if current is None:
            return
        try:
            self._pool.activate(current.bundle)
        except RecsysError as error:
            _log.error("%s stays live: %s", self._pool.live.name, error)

    def _open_variants(self) -> None:
        names = self._assignments.bundles()
        for name in names:
            self._pool.open_in_background(name)
        self._pool.keep(names)
        self._items.keep(self._pool.opened())

    def _read_spool(self) -> None:
        """Know the items that waited for the store when the process before this one ended."""
        if self._spool is None:
            return
        try:
            commands = self._spool.pending_kinds(ITEM_COMMANDS)
        except SpoolError as error:
            _log.warning("The changes of items that wait could not be read: %s", error)
            return
        for command in commands:
            payload = command.payload
            item_id = str(payload["item_id"])
            known = self._items.get(item_id) or CatalogueItem(item_id)
            if command.kind == "item_delete":
                self._items.change([CatalogueItem(item_id, deleted=True, available=False)])
                continue
            told = payload if command.kind == "item_put" else payload.get("changes", {})
            properties = dict(told.get("properties") or {})
            if command.kind == "item_update":
                properties = {**known.properties, **properties}
            title, available = told.get("title"), told.get("available")
            changed = CatalogueItem(
                item_id,
                known.title if title is None else title,
                {name: value for name, value in properties.items() if value is not None},
                known.available if available is None else bool(available),
            )
            self._items.change([changed])


def catalogue_item(item: Item) -> CatalogueItem:
    """An item of the store as bundles take it."""
    return CatalogueItem(item.item_id, item.title, item.properties, item.available, item.deleted_at is not None)


def _newest(one: Revisions, other: Revisions) -> Revisions:
    return Revisions(
        max(one.catalogue, other.catalogue),
        max(one.deployment, other.deployment),
        max(one.experiment, other.experiment),
    )


def _includes(reached: Revisions, wanted: Revisions) -> bool:
    return _newest(reached, wanted) == reached
