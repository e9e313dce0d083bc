import pytest
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.deployments import Deployments
from recsys_serving.store.errors import StoreUnavailable

from recsys.errors import BundleError
from tests.serving.recommending.fakes import Faulty


def test_what_is_live_is_noted_with_who_did_it(store, bundles):
    pool = BundlePool(bundles, "ease")
    deployments = Deployments(pool, store)
    assert deployments.previous() is None
    opened = deployments.activate("two_tower", "key-1", "why")
    noted = store.deployments.current()
    assert (noted.bundle, noted.fingerprint, noted.actor, noted.note) == (
        "two_tower",
        opened.fingerprint,
        "key-1",
        "why",
    )
    assert pool.live is opened and deployments.previous() == "ease"
    deployments.activate("ease", "key-1", None)
    assert deployments.previous() == "two_tower"


def test_what_cannot_be_noted_is_not_live(store, bundles):
    faulty = Faulty(store)
    pool = BundlePool(bundles, "ease")
    faulty.fail()
    with pytest.raises(StoreUnavailable):
        Deployments(pool, faulty).activate("two_tower", "key-1", None)
    assert pool.live.name == "ease" and store.deployments.current() is None


def test_what_cannot_be_opened_is_not_noted(store, bundles):
    with pytest.raises(BundleError):
        Deployments(BundlePool(bundles, "ease"), store).activate("none", "key-1", None)
    assert store.deployments.current() is None
