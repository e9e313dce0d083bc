from pathlib import Path

from recsys_serving.triton.repository import write_repository
from recsys_serving.triton.served_titles import served_titles

from recsys.runtime.bundle import Bundle
from tests.export.board_bundles import board_bundle


def test_titles_are_those_of_the_version(tmp_path: Path):
    write_repository(Bundle.open(board_bundle("ease")), tmp_path / "repository", version=3)
    assert served_titles(tmp_path / "repository", "3")(["i02", "new"]) == ["Square 2", "new"]


def test_without_the_repository_or_the_version_ids_stand_for_titles(tmp_path: Path):
    assert served_titles(None, "3")(["i02"]) == served_titles(tmp_path, "3")(["i02"]) == ["i02"]
