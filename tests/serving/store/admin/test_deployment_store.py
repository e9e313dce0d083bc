from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def activate(store, *names):
    for name in names:
        store.deployments.activate(name, f"fingerprint of {name}", "key-1")


def test_nothing_is_live_at_first(store):
    assert store.deployments.current() is None
    assert store.deployments.previous() is None
    assert store.deployments.revision() == 0


def test_the_latest_activation_is_live(store):
    first = store.deployments.activate("a", "f1", "key-1", "the first")
    second = store.deployments.activate("b", "f2", "key-2")
    assert (first.bundle, first.fingerprint, first.actor, first.note) == ("a", "f1", "key-1", "the first")
    assert store.deployments.current() == second
    assert store.deployments.list_deployments() == (second, first)
    assert store.deployments.list_deployments(limit=1) == (second,)
    assert store.deployments.revision() == 2


def test_what_is_live_is_not_activated_again(store):
    first = store.deployments.activate("a", "f1", "key-1")
    assert store.deployments.activate("a", "f1", "key-2") == first
    assert store.deployments.revision() == 1


def test_the_same_name_with_other_content_is_another_bundle(store):
    store.deployments.activate("a", "f1", "key-1")
    assert store.deployments.activate("a", "f2", "key-1").fingerprint == "f2"
    assert store.deployments.previous().fingerprint == "f1"


def test_the_previous_one_was_live_before(store):
    activate(store, "a", "b")
    assert store.deployments.previous().bundle == "a"


def test_rollbacks_go_further_and_further_back(store):
    activate(store, "a", "b", "c")
    activate(store, store.deployments.previous().bundle)
    assert store.deployments.current().bundle == "b"
    activate(store, store.deployments.previous().bundle)
    assert store.deployments.current().bundle == "a"
    assert store.deployments.previous() is None


def test_an_activation_after_a_rollback_can_be_rolled_back_too(store):
    activate(store, "a", "b", "a", "c")
    assert store.deployments.previous().bundle == "a"


def test_activations_at_once_come_one_after_the_other(store):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: activate(store, str(n % 2)), range(12)))
    bundles = [deployment.bundle for deployment in store.deployments.list_deployments()]
    assert all(one != other for one, other in zip(bundles, bundles[1:], strict=False))
    assert store.deployments.revision() == len(bundles)
