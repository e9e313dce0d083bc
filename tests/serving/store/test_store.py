from __future__ import annotations

import pytest
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.errors import Conflict, StoreError, StoreUnavailable
from recsys_serving.store.store import Store

from tests.serving.conftest import new_database
from tests.serving.store.moments import watched


def test_a_ping_answers_where_all_is_well(store):
    store.ping()


def test_a_ping_of_a_database_without_tables_is_an_error(postgres_server):
    with new_database(postgres_server) as url:
        store = Store.connect(url)
        with pytest.raises(StoreError, match="Run the migrations"):
            store.ping()
        store.close()


def test_a_store_opens_while_the_database_is_away(tmp_path):
    store = Store.connect(f"postgresql://postgres@/x?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        store.ping()


def test_calls_in_a_transaction_count_together(store):
    store.users.create("ada")
    with pytest.raises(Conflict), store.transaction():
        store.deployments.activate("second", "f2", "key-1")
        store.audit.append(AuditEntry("key-1", "bundle.activate", "second"))
        store.users.create("ada")
    assert store.deployments.current() is None
    assert store.audit.list_entries() == ()


def test_a_call_that_fails_in_a_transaction_may_be_answered(store):
    with store.transaction():
        store.users.create("ada")
        with pytest.raises(Conflict):
            store.users.create("ada")
        store.interactions.append([watched("e1")])
    assert store.users.state("ada").item_ids == ("1",)


def test_one_process_leads(store, database_url):
    other = Store.connect(database_url)
    with store.leadership(7) as leads:
        with other.leadership(7) as also, other.leadership(8) as elsewhere:
            assert (leads, also, elsewhere) == (True, False, True)
    with other.leadership(7) as now:
        assert now
    other.close()
