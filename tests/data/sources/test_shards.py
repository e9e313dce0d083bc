import gzip
from pathlib import Path

import pytest

from recsys.data.sources.raw_file import RawFile
from recsys.data.sources.shards import ShardedFile, files_of, table_file
from recsys.errors import DataError, SourceError


def write(directory: Path, **contents: str) -> Path:
    for name, content in contents.items():
        name = name.replace("__", ".")
        data = content.encode()
        (directory / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return directory


def content_of(file: RawFile) -> str:
    with file.open() as stream:
        return stream.read().decode()


def test_the_files_of_a_directory_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, b__csv="", a__csv="", _SUCCESS="", **{".hidden": ""})
    (tmp_path / "deeper").mkdir()
    assert [path.name for path in files_of(tmp_path)] == ["a.csv", "b.csv"]


def test_a_pattern_takes_the_files_that_fit(tmp_path: Path) -> None:
    write(tmp_path, part1__csv="", part2__csv="", notes__txt="")
    assert [path.name for path in files_of(tmp_path / "part*.csv")] == ["part1.csv", "part2.csv"]
    write(tmp_path, **{"odd[1]__csv": ""})
    assert files_of(tmp_path / "odd[1].csv") == (tmp_path / "odd[1].csv",)  # there is a file of that very name


@pytest.mark.parametrize(("name", "message"), [("", "is a directory without files"), ("*.csv", "fits no file")])
def test_no_files_are_an_error(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=message):
        files_of(tmp_path / name)


def test_a_single_file_is_itself(tmp_path: Path) -> None:
    assert table_file(tmp_path / "a.csv") == RawFile(tmp_path / "a.csv")
    assert RawFile(tmp_path / "a.csv").shards() == [RawFile(tmp_path / "a.csv")]


def test_files_of_several_formats_are_no_table(tmp_path: Path) -> None:
    write(tmp_path, a__csv="", b__parquet="", c__csv__gz="")
    with pytest.raises(DataError, match=r"must be of one format, but they end in \.csv and in \.parquet"):
        table_file(tmp_path)


def test_files_are_read_one_after_the_other_with_the_header_once(tmp_path: Path) -> None:
    write(tmp_path, a__csv="user,item\n1,2", b__csv__gz="\ufeffuser,item\r\n3,4\r\n", c__csv="user,item\n")
    write(tmp_path, d__csv="user,item\n5,6\n")
    file = table_file(tmp_path)
    assert isinstance(file, ShardedFile)
    assert (file.name, [shard.name for shard in file.shards()]) == ("a.csv", ["a.csv", "b.csv.gz", "c.csv", "d.csv"])
    joined = ShardedFile(tmp_path, None, file.files, num_header_lines=1)
    assert content_of(joined) == "user,item\n1,2\n3,4\r\n5,6\n"
    assert content_of(file).count("user,item") == 4


def test_a_file_with_another_header_is_told(tmp_path: Path) -> None:
    write(tmp_path, a__csv="user,item\n1,2\n", b__csv="item,user\n3,4\n")
    joined = ShardedFile(tmp_path, None, files_of(tmp_path), num_header_lines=1)
    with pytest.raises(DataError, match=r"b\.csv begins with 'item,user', and .*a\.csv with 'user,item'"):
        content_of(joined)


def test_large_files_are_read_in_pieces(tmp_path: Path) -> None:
    lines = "".join(f"{number},{number}\n" for number in range(200_000))
    write(tmp_path, a__csv="u,i\n" + lines, b__csv="u,i\n" + lines)
    joined = ShardedFile(tmp_path, None, files_of(tmp_path), num_header_lines=1)
    assert content_of(joined) == "u,i\n" + lines + lines
