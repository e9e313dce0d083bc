import pytest

from recsys.errors import BundleError, BundleWarning
from recsys.runtime.hashing import check_files, file_of, report_extra_files
from recsys.runtime.manifest import BundleFile

#: SHA-256 of the three bytes "abc", an example of the standard (FIPS 180-2).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    return tmp_path


def test_a_file_has_its_hash_and_its_size(directory):
    assert file_of(directory / "a.txt") == BundleFile(ABC, 3)


def test_files_as_they_were_written_are_accepted_beside_others(directory):
    (directory / "other.txt").write_bytes(b"not in the list")
    check_files(directory, {"a.txt": BundleFile(ABC, 3)})


@pytest.mark.parametrize("content", [b"abd", b"abc ", b""], ids=["flipped bit", "longer", "empty"])
def test_a_changed_file_is_found(directory, content):
    (directory / "a.txt").write_bytes(content)
    with pytest.raises(
        BundleError, match=rf"a\.txt was changed or damaged.*ba7816bf8f01\.\.\. \(3 .*\({len(content)} by"
    ):
        check_files(directory, {"a.txt": BundleFile(ABC, 3)})


def test_a_missing_file_is_found(directory):
    with pytest.raises(BundleError, match=r"b\.txt cannot be read \(No such file or directory\)\. Export"):
        check_files(directory, {"b.txt": BundleFile(ABC, 3)})


@pytest.mark.parametrize("name", ["../a.txt", "/etc/passwd", "folder/a.txt"])
def test_a_file_outside_is_refused_unread(directory, name):
    with pytest.raises(BundleError, match=f"names {name}, which is no file of its own"):
        check_files(directory / "bundle", {name: BundleFile(ABC, 3)})


def test_files_that_no_manifest_names_are_reported(directory):
    for name in ("manifest.json", ".hidden"):
        (directory / name).write_bytes(b"")
    report_extra_files(directory, ["a.txt"])
    for number in range(7):
        (directory / f"more{number}.npy").write_bytes(b"")
    with pytest.warns(BundleWarning, match=r"has 7 files that its manifest does not name.*more4.npy and 2 more. Move"):
        report_extra_files(directory, ["a.txt"])
