import threading
from datetime import UTC, datetime, timedelta

from recsys_serving.settings import ServiceSettings
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.schema.retention import RetentionPolicy
from recsys_serving.store.store import Store
from recsys_serving.writing.retention_job import RetentionJob, retention_policy


def test_the_settings_say_how_long_rows_are_kept():
    settings = ServiceSettings(interaction_type_retention_days={"view": 90}, exposure_retention_days=30)
    assert retention_policy(settings) == RetentionPolicy(None, {"view": 90}, 30, None)


def test_what_is_kept_no_longer_is_deleted(store):
    now = datetime.now(UTC)
    old = Interaction("old", "anna", "a", "view", now - timedelta(days=100))
    new = Interaction("new", "anna", "a", "view", now)
    store.interactions.append([old, new])
    RetentionJob(store, RetentionPolicy(type_days={"view": 90})).apply_once()
    assert store.interactions.get("old") is None
    assert store.interactions.get("new") is not None


def test_nothing_happens_while_the_store_is_away():
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    RetentionJob(away, RetentionPolicy(interaction_days=1)).apply_once()
    away.close()


def test_a_thread_looks_again_and_again(monkeypatch):
    looks = threading.Semaphore(0)
    monkeypatch.setattr(RetentionJob, "apply_once", lambda self: looks.release())
    job = RetentionJob(None, RetentionPolicy(), 0.001, 0.001)  # type: ignore[arg-type]
    job.start()
    assert looks.acquire(timeout=10) and looks.acquire(timeout=10)
    job.close()
