import pytest
from recsys_serving.recommending.assignments import Assignments
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.worker_sync import CatalogueItems, WorkerSync
from recsys_serving.recommending.types import CatalogueItem
from recsys_serving.recommending.user_states import NOBODY, Revisions
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.spool.commands import delete_item_command, item_command, update_item_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.items.records import ItemDraft

from tests.serving.recommending.fakes import Faulty


class Worker:
    def __init__(self, store, bundles, spool=None):
        self.store, self.items, self.assignments = store, CatalogueItems(), Assignments()
        self.pool = BundlePool(bundles, "two_tower", prepare=self.items.lay_over)
        policy = DependencyPolicy(threshold=1000, failures=(StoreUnavailable,))
        dependency = Dependency("store", policy, HealthRegistry())
        self.sync = WorkerSync(store, spool, dependency, self.pool, self.items, self.assignments)

    def revisions(self):
        state = self.store.users.state(NOBODY)
        return Revisions(state.catalogue_revision, state.deployment_revision, state.experiment_revision)


@pytest.fixture
def new_worker(bundles):
    made = []

    def make(store, spool=None):
        made.append(Worker(store, bundles, spool))
        return made[-1]

    yield make
    for worker in made:
        worker.sync.close()


def test_a_worker_starts_with_all_items_and_gets_those_that_come(store, new_worker):
    store.items.put(ItemDraft("i04", "Four"))
    worker = new_worker(store)
    assert worker.sync.start(60) and worker.items.get("i04").title == "Four"
    store.items.put_many([ItemDraft(f"n{number}", f"New {number}") for number in range(5)])
    assert worker.sync.ensure(worker.revisions(), 60)
    assert worker.items.get("n4") == CatalogueItem("n4", "New 4")
    assert worker.pool.live.overlay.details(["n3"])[0][0] == "New 3"
    store.items.delete("n4")
    assert worker.sync.ensure(worker.revisions(), 60) and worker.items.get("n4").deleted


def test_nothing_new_is_nothing_to_read(store, new_worker):
    faulty = Faulty(store)
    worker = new_worker(faulty)
    worker.sync.start(60)
    faulty.fail()
    assert worker.sync.ensure(Revisions(0, 0, 0), 0)


def test_two_workers_that_know_the_same_items_say_so(store, new_worker):
    store.items.put(ItemDraft("i04", "Four"))
    first, second = new_worker(store), new_worker(store)
    for worker in (first, second):
        worker.sync.start(60)
    assert first.items.version == second.items.version
    first.items.change([CatalogueItem("i06", "Six")])
    assert first.items.version != second.items.version
    store.items.put(ItemDraft("i06", "Six"))
    for worker in (first, second):
        assert worker.sync.ensure(worker.revisions(), 60)
    assert first.items.version == second.items.version


def test_without_the_store_what_is_wanted_waits_and_is_read_later(store, new_worker):
    faulty = Faulty(store)
    worker = new_worker(faulty)
    worker.sync.start(60)
    store.items.put(ItemDraft("i04", "Four"))
    wanted = worker.revisions()
    faulty.fail()
    assert not worker.sync.ensure(wanted, 0.05)
    faulty.recover()
    assert worker.sync.ensure(wanted, 60) and worker.items.get("i04").title == "Four"


def test_an_answer_does_not_wait_longer_than_it_may(store, new_worker):
    faulty = Faulty(store)
    worker = new_worker(faulty)
    worker.sync.start(60)
    store.items.put(ItemDraft("i04", "Four"))
    wanted = worker.revisions()
    faulty.hang()
    assert not worker.sync.ensure(wanted, 0.01)
    faulty.recover()
    assert worker.sync.ensure(wanted, 60)


def test_the_live_bundle_is_followed_and_one_that_is_missing_is_not(store, new_worker, caplog):
    worker = new_worker(store)
    worker.sync.start(60)
    store.deployments.activate("ease", "0" * 64, "tests")
    assert worker.sync.ensure(worker.revisions(), 60) and worker.pool.live.name == "ease"
    store.deployments.activate("none", "1" * 64, "tests")
    assert worker.sync.ensure(worker.revisions(), 60) and worker.pool.live.name == "ease"
    assert "ease stays live" in caplog.text


def test_bundles_to_come_get_the_items_too(store, new_worker):
    worker = new_worker(store)
    worker.items.change([CatalogueItem("i04", "Four")])
    assert worker.pool.open("ease").overlay.details(["i04"])[0][0] == "Four"
    worker.items.change([CatalogueItem("i06", "Six")])
    assert worker.pool.open("ease").overlay.details(["i06"])[0][0] == "Six"


def test_items_that_wait_in_the_spool_are_known_after_a_restart(store, new_worker, tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append(
        [
            item_command(ItemDraft("n1", "New", {"colours": "black", "price": 3})),
            update_item_command("n1", {"properties": {"price": None}, "available": False}),
            item_command(ItemDraft("n2", "Other")),
            delete_item_command("n2"),
        ]
    )
    faulty = Faulty(store)
    faulty.fail()
    worker = new_worker(faulty, spool)
    assert not worker.sync.start(3600)  # which is not waited for
    assert worker.items.get("n1") == CatalogueItem("n1", "New", {"colours": "black"}, available=False)
    assert worker.items.get("n2").deleted
    spool.close()
