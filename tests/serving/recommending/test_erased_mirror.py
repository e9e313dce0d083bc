import stat
from datetime import UTC, datetime, timedelta

from recsys_serving.recommending.erased_mirror import ErasedMirror
from recsys_serving.store.users.erased_users import ErasedUsers, erasure_hash

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=20)


def erased(**moments):
    return ErasedUsers("salt", {erasure_hash("salt", name): at for name, at in moments.items()})


def test_other_processes_and_later_ones_know(tmp_path):
    one, other = ErasedMirror(tmp_path / "x" / "erased.json"), ErasedMirror(tmp_path / "x" / "erased.json")
    assert "ada" not in other
    one.replace(erased(ada=OLD))
    assert "ada" in other and "ben" not in other
    other.mark(["ben"], NOW)
    assert "ben" in one
    assert stat.S_IMODE((tmp_path / "x" / "erased.json").stat().st_mode) == 0o600
    assert b"ada" not in (tmp_path / "x" / "erased.json").read_bytes()


def test_what_waits_for_the_store_stays_and_what_has_expired_goes(tmp_path):
    mirror = ErasedMirror(tmp_path / "erased.json")
    mirror.replace(erased(ada=OLD))
    mirror.mark(["ben"], NOW)
    mirror.replace(erased(cid=OLD))
    assert [name in mirror for name in ("ada", "ben", "cid")] == [False, True, True]


def test_nobody_is_marked_before_the_salt_is_known(tmp_path):
    mirror = ErasedMirror(tmp_path / "erased.json")
    mirror.mark(["ada"], NOW)
    assert "ada" not in mirror and not (tmp_path / "erased.json").exists()


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path, caplog):
    mirror = ErasedMirror(tmp_path / "erased.json")
    (tmp_path / "erased.json").write_text("[]")
    assert "ada" not in mirror and "cannot be read" in caplog.text
    (tmp_path / "file").write_text("")
    ErasedMirror(tmp_path / "file" / "erased.json").replace(erased(ada=OLD))
    assert "cannot be written" in caplog.text
