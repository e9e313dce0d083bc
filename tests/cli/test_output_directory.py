import os
import subprocess
import sys

import pytest

from recsys.cli.output_directory import (
    make_output_directory,
    make_place_for_file,
    new_directory,
    partial_directory,
    require_place_for,
)
from recsys.errors import RunError


def test_makes_what_is_not_there_and_keeps_what_is(tmp_path):
    make_output_directory(tmp_path / "a" / "b", "results", "output=")
    (tmp_path / "a" / "b" / "kept").write_text("", encoding="utf-8")
    make_output_directory(tmp_path / "a" / "b", "results", "output=")
    assert (tmp_path / "a" / "b" / "kept").is_file()


def test_a_file_in_the_way_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="required for the results, but .*below cannot be made .* another output="):
        make_output_directory(tmp_path / "file" / "below", "results", "output=")


def test_a_file_gets_its_directory_and_stays_as_it_is(tmp_path):
    make_place_for_file(tmp_path / "a" / "b.json", "results", "output=")
    assert (tmp_path / "a").is_dir() and not (tmp_path / "a" / "b.json").exists()
    (tmp_path / "c.json").write_text("kept", encoding="utf-8")
    make_place_for_file(tmp_path / "c.json", "results", "output=")
    assert (tmp_path / "c.json").read_text(encoding="utf-8") == "kept"


def test_a_file_that_cannot_be_written_is_named_with_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(RunError, match="A file is required for the results, but .* is a directory. Choose another out"):
        make_place_for_file(tmp_path, "results", "output=")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(RunError, match="x.json cannot be written. Choose another output="):
        make_place_for_file(tmp_path / "x.json", "results", "output=")


def test_a_place_for_directories_is_required_before_there_is_one(tmp_path, monkeypatch):
    require_place_for(tmp_path / "a" / "b", "run", "runs_dir")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match=r"none can be made in .*file is no directory\)\. Choose another runs_dir"):
        require_place_for(tmp_path / "file" / "below", "run", "runs_dir")
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(RunError, match="no permission to write in"):
        require_place_for(tmp_path / "a", "run", "runs_dir")


def test_what_killed_processes_left_of_the_same_output_is_removed_and_nothing_else(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    left = tmp_path / f".first[1].partial-{dead.pid}"
    kept = [
        tmp_path / f".first[1].partial-{os.getppid()}",  # a process that runs
        tmp_path / f".other.partial-{dead.pid}",
        tmp_path / ".first[1].partial-by_hand",
    ]
    for directory in (left, *kept):
        (directory / "inside").mkdir(parents=True)
    assert partial_directory(tmp_path / "first[1]") == tmp_path / f".first[1].partial-{os.getpid()}"
    assert not left.exists() and all(directory.exists() for directory in kept)


def test_a_new_directory_is_one_that_was_not_there(tmp_path):
    made = [new_directory(tmp_path / "runs", "ease", "run", "paths.runs_dir") for _ in range(3)]
    assert len(set(made)) == 3 and all(path.is_dir() and "_ease" in path.name for path in made)


def test_a_new_directory_that_cannot_be_made_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="required for the run, but .*_ease cannot be made .* another paths.runs_dir"):
        new_directory(tmp_path / "file", "ease", "run", "paths.runs_dir")
