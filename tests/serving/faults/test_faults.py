"""What the service answers while something is away; the whole matrix is ``benchmarks/fault_matrix.py``."""

from __future__ import annotations

from tests.serving.faults.conftest import OpenApi
from tests.serving.faults.tcp_proxy import Fault


def test_while_the_store_is_down_lists_go_on_and_changes_wait_until_it_is_back(open_api: OpenApi):
    api = open_api()
    assert api.degraded() == [] and api.tell("before") == 201
    api.store_proxy.make(Fault.REFUSE)
    assert api.degraded() == ["store"]
    assert [api.tell("during"), api.tell("during")] == [202, 202]
    assert api.store.interactions.get("during") is None
    api.store_proxy.make(Fault.PASS)
    assert api.drain().applied == 1
    assert api.store.interactions.get("before") is not None and api.store.interactions.get("during") is not None
    assert api.tell("after") == 201


def test_while_answers_of_the_store_are_cut_nothing_is_an_error(open_api: OpenApi):
    api = open_api()
    assert api.tell("before") == 201
    api.store_proxy.make(Fault.CUT)
    assert api.degraded() == ["store"]
    assert api.tell("during") == 202


def test_while_redis_is_down_lists_are_computed_and_changes_are_taken(open_api: OpenApi):
    api = open_api()
    assert api.degraded() == []
    api.redis_proxy.make(Fault.REFUSE)
    assert api.degraded() == ["cache"]
    assert api.tell("during") == 201


def test_a_slow_store_is_not_waited_for(open_api: OpenApi):
    api = open_api(store_timeout_seconds=0.3, database_timeout_seconds=0.3)
    api.tell_until_stored()
    api.store_proxy.make(Fault.DELAY)
    assert api.degraded() == ["store"]


def test_a_store_that_swallows_everything_is_not_waited_for(open_api: OpenApi):
    api = open_api(store_timeout_seconds=0.3, database_timeout_seconds=0.3)
    api.tell_until_stored()
    api.store_proxy.make(Fault.BLACK_HOLE)
    assert api.tell("during") == 202
    assert api.degraded() == ["store"]


def test_a_key_that_was_never_used_is_let_in_while_the_store_is_away(open_api: OpenApi):
    api = open_api()
    api.store_proxy.make(Fault.REFUSE)
    assert api.degraded() == ["store"]
    assert api.tell("during") == 202


def test_without_a_store_at_the_start_a_key_that_was_never_used_is_let_in(open_api: OpenApi):
    open_api()  # a worker that copies the keys
    api = open_api(lambda postgres, redis: postgres.make(Fault.REFUSE))
    assert api.degraded() == ["store"]
    assert api.tell("during") == 202
    api.store_proxy.make(Fault.PASS)
    assert api.drain().applied == 1 and api.store.interactions.get("during") is not None
