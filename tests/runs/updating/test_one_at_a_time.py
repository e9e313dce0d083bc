"""Two updates at once, and one that was killed."""

from __future__ import annotations

import threading

import pytest

from recsys.runs.run_directory import UPDATE_MARK
from recsys.runs.updating.one_at_a_time import one_update_at_a_time


def test_the_second_waits_for_the_first(tmp_path):
    said, order, started = [], [], threading.Event()

    def second():
        with one_update_at_a_time(tmp_path, tmp_path / "run", "hash", lambda line: (said.append(line), started.set())):
            order.append("second")

    with one_update_at_a_time(tmp_path, tmp_path / "run", "hash", said.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert started.wait(30)
        with one_update_at_a_time(tmp_path, tmp_path / "run", "other data", said.append):
            order.append("first")
    thread.join(30)
    assert order == ["first", "second"] and said == ["another process makes this update; waiting for it"]
    assert not list(tmp_path.iterdir())


def test_what_fails_leaves_no_directory(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with (
        pytest.raises(KeyboardInterrupt),
        one_update_at_a_time(tmp_path, tmp_path / "parent", "hash", print) as update,
        update.in_directory(run),
    ):
        assert (run / UPDATE_MARK).is_file()
        raise KeyboardInterrupt
    assert not run.exists()


def test_what_a_killed_process_has_left_goes_with_the_same_update(tmp_path):
    with one_update_at_a_time(tmp_path, tmp_path / "parent", "hash", print) as update:
        pass
    for name, key in (("killed", update.key), ("another", "key")):
        (tmp_path / name).mkdir()
        (tmp_path / name / UPDATE_MARK).write_text(key)
    with one_update_at_a_time(tmp_path, tmp_path / "parent", "hash", print):
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["another"]


def test_a_run_that_was_finished_is_never_what_was_left(tmp_path):
    with one_update_at_a_time(tmp_path, tmp_path / "parent", "hash", print) as update:
        pass
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "run.json").write_text("{}")
    (tmp_path / "finished" / UPDATE_MARK).write_text(update.key)
    with one_update_at_a_time(tmp_path, tmp_path / "parent", "hash", print):
        assert [path.name for path in (tmp_path / "finished").iterdir()] == ["run.json"]
