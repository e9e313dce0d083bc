from datetime import UTC, datetime, timedelta

from recsys_serving.recommending.erased_mirror import ErasedMirror
from recsys_serving.store.store import Store
from recsys_serving.writing.erasure_marks import ErasureMarks

from tests.export.board_bundles import board_bundle

NOW = datetime.now(UTC)


def marks(store, tmp_path, bundles=(), days=30):
    return ErasureMarks(store, ErasedMirror(tmp_path / "erased.json"), lambda: bundles, days)


def test_marks_stay_as_long_as_a_bundle_has_the_user(store, tmp_path):
    for name in ("u03", "nobody"):
        store.users.erase(name, NOW - timedelta(days=40), {})
    marks(store, tmp_path, [board_bundle("ease")]).apply_once()
    assert "u03" in store.users.erased() and "nobody" not in store.users.erased()
    marks(store, tmp_path, []).apply_once()
    assert store.users.erased().marks == {}


def test_marks_stay_for_the_days_in_which_bundles_are_replaced(store, tmp_path):
    store.users.erase("u03", NOW - timedelta(days=40), {})
    one = marks(store, tmp_path, days=60)
    one.apply_once()
    assert "u03" in store.users.erased() and "u03" in ErasedMirror(tmp_path / "erased.json")
    one.apply_once(NOW + timedelta(days=30))
    assert "u03" not in store.users.erased() and "u03" not in ErasedMirror(tmp_path / "erased.json")


def test_nothing_happens_while_the_store_is_away(store, tmp_path):
    store.users.erase("u03", NOW, {})
    marks(store, tmp_path).read_once()
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    marks(away, tmp_path).read_once()
    marks(away, tmp_path).apply_once()
    away.close()
    assert "u03" in ErasedMirror(tmp_path / "erased.json")
