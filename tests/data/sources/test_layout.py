from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from recsys.data.sources.layout import Layout, find_in_archive, find_in_directory
from recsys.errors import SourceError

NEW = Layout("new", ("ratings.csv", "movies.csv"), optional=("tags.csv",), folders=("ml-new",))
OLD = Layout("old", (("ratings.dat", "ratings.dat.gz"),))


def _touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_finds_files_at_the_top(tmp_path: Path) -> None:
    _touch(tmp_path / "ratings.csv", tmp_path / "movies.csv")
    found = find_in_directory(tmp_path, [OLD, NEW])
    assert found.layout == "new"
    assert found["ratings.csv"].path == tmp_path / "ratings.csv"
    assert found.get("tags.csv") is None
    assert found.containers() == [tmp_path / "movies.csv", tmp_path / "ratings.csv"]


def test_finds_files_in_the_folder_of_the_layout_with_optional_ones(tmp_path: Path) -> None:
    folder = tmp_path / "ml-new"
    _touch(folder / "ratings.csv", folder / "movies.csv", folder / "tags.csv")
    found = find_in_directory(tmp_path, [NEW])
    assert set(found.files) == {"ratings.csv", "movies.csv", "tags.csv"}


def test_files_of_a_layout_lie_in_one_folder(tmp_path: Path) -> None:
    _touch(tmp_path / "ratings.csv", tmp_path / "ml-new" / "movies.csv")
    with pytest.raises(SourceError, match=r"does not have these files; it has ml-new/movies\.csv, ratings\.csv"):
        find_in_directory(tmp_path, [NEW])


def test_the_first_layout_wins(tmp_path: Path) -> None:
    _touch(tmp_path / "ratings.csv", tmp_path / "movies.csv", tmp_path / "ratings.dat")
    assert find_in_directory(tmp_path, [OLD, NEW]).layout == "old"
    assert find_in_directory(tmp_path, [NEW, OLD]).layout == "new"


def test_an_alternative_name_is_known_by_the_first(tmp_path: Path) -> None:
    _touch(tmp_path / "ratings.dat.gz")
    assert find_in_directory(tmp_path, [OLD])["ratings.dat"].name == "ratings.dat.gz"


def test_finds_members_of_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("ml-new/ratings.csv", "ml-new/movies.csv", "ml-new/README"):
            archive.writestr(name, b"x")
    found = find_in_archive(tmp_path / "a.zip", [OLD, NEW])
    assert found["movies.csv"].member == "ml-new/movies.csv"
    assert found.containers() == [tmp_path / "a.zip"]


def test_an_archive_without_the_files_says_what_it_has(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(14):
            archive.writestr(f"{number:02}.txt", b"x")
    with pytest.raises(
        SourceError, match=r"the archive .*a\.zip does not have these files; it has 00\.txt, .* and 2 more"
    ):
        find_in_archive(tmp_path / "a.zip", [NEW])


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    _touch(tmp_path / "a.zip")
    with pytest.raises(SourceError, match="is not a zip archive, or an incomplete one"):
        find_in_archive(tmp_path / "a.zip", [NEW])


def test_a_missing_directory_or_archive_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not have these files; it has nothing"):
        find_in_directory(tmp_path / "none", [NEW])
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        find_in_archive(tmp_path / "none.zip", [NEW])
