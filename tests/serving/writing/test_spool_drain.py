import threading

from recsys_serving.spool.commands import user_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.store import Store
from recsys_serving.writing.spool_drain import SpoolDrain


def test_what_waits_is_carried_out(store, tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append([user_command("anna"), user_command("ben")])
    assert SpoolDrain(store, spool, 60).drain_once() == 2
    assert store.users.get("ben") is not None
    assert SpoolDrain(store, spool, 60).drain_once() == 0
    spool.close()


def test_what_waits_goes_on_waiting_while_the_store_is_away(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append([user_command("anna")])
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    assert SpoolDrain(away, spool, 60).drain_once() == 0
    assert len(spool) == 1
    away.close()
    spool.close()


def test_a_thread_drains_again_and_again(store, tmp_path, monkeypatch):
    spool, drained = Spool(tmp_path / "spool"), threading.Event()
    monkeypatch.setattr(SpoolDrain, "drain_once", lambda self: drained.set())
    drain = SpoolDrain(store, spool, 0.001)
    drain.start()
    assert drained.wait(10)
    drain.close()
    spool.close()
