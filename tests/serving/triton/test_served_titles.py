from dataclasses import replace
from pathlib import Path

from recsys_serving.triton.repository import write_repository
from recsys_serving.triton.served_titles import served_count, served_titles

from recsys.runtime.bundle import Bundle
from recsys.runtime.manifest import Manifest
from tests.export.board_bundles import board_bundle


def test_titles_are_those_of_the_version(tmp_path: Path):
    write_repository(Bundle.open(board_bundle("ease")), tmp_path / "repository", version=3)
    assert served_titles(tmp_path / "repository", "3")(["i02", "new"]) == ["Square 2", "new"]


def test_without_the_repository_or_the_version_ids_stand_for_titles(tmp_path: Path):
    assert served_titles(None, "3")(["i02"]) == served_titles(tmp_path, "3")(["i02"]) == ["i02"]


def test_it_is_said_what_popular_items_are_counted_by(tmp_path: Path):
    repository = tmp_path / "repository"
    write_repository(Bundle.open(board_bundle("ease")), repository, version=3)
    assert served_count(repository, "3") == "interactions in board"
    assert served_count(None, "3") == served_count(repository, "4") == "interactions"
    bundle = repository / "recommender" / "3" / "bundle"
    replace(Manifest.read(bundle), popular_days=30.0).write(bundle)
    assert served_count(repository, "3") == "interactions of the last 30 days of board"
