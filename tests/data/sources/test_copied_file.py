from pathlib import Path

from recsys.data.sources.copied_file import CopiedFile, CopiedShards


def test_copies_are_called_as_their_originals(tmp_path: Path) -> None:
    paths = tuple(tmp_path / f"{number}.csv" for number in range(2))
    for path in paths:
        path.write_text("a\n")
    table = CopiedShards(tmp_path, None, paths, 0, "s3://shop/ratings/", ("s3://shop/ratings/a.csv", "b"))
    assert (str(table), [str(shard) for shard in table.shards()]) == (
        "s3://shop/ratings/",
        ["s3://shop/ratings/a.csv", "b"],
    )
    with table.open() as stream:
        assert stream.read() == b"a\na\n"
    assert str(CopiedFile(paths[0], None, "s3://shop/a.csv")) == "s3://shop/a.csv"
