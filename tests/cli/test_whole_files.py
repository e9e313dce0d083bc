import pytest

from recsys.cli.whole_files import shared_file, whole_file, write_private


def test_what_was_written_takes_the_place_of_what_was_there(tmp_path):
    target = tmp_path / "run.json"
    target.write_text("old")
    with whole_file(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_what_is_broken_off_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "run.json"
    target.write_text("old")
    with pytest.raises(type(error)), whole_file(target) as path:
        path.write_text("ne")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_is_written_over(tmp_path):
    (tmp_path / "run.json.partial").write_text("half of something")
    with whole_file(tmp_path / "run.json") as path:
        path.write_text("{}")
    assert (tmp_path / "run.json").read_text() == "{}"
    assert not (tmp_path / "run.json.partial").exists()


@pytest.mark.parametrize(("keep_existing", "content"), [(False, b"new"), (True, b"old")])
def test_a_private_file_is_its_owners_alone(tmp_path, keep_existing, content):
    target = tmp_path / "key"
    write_private(target, b"old", keep_existing=keep_existing)
    write_private(target, b"new", keep_existing=keep_existing)
    assert target.read_bytes() == content
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_private_file_that_cannot_take_its_place_leaves_nothing(tmp_path):
    (tmp_path / "key").mkdir()
    with pytest.raises(OSError):
        write_private(tmp_path / "key", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_of_two_that_write_a_shared_file_at_once_the_last_one_stays(tmp_path):
    target = tmp_path / "trials.csv"
    with shared_file(target) as first, shared_file(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_shared_file_that_is_broken_off_leaves_what_was_there(tmp_path):
    target = tmp_path / "trials.csv"
    target.write_text("old")
    with pytest.raises(OSError, match="full"), shared_file(target) as path:
        path.write_text("ne")
        raise OSError("full")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
