import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.api.list_shards import MANIFEST, ListShards
from recsys.errors import RequestError

SETTINGS = {"bundle": "first, made today", "model": "abc", "k": 3}
TABLES = [pa.table({"user_id": [user], "item_id": ["x"], "score": [0.1]}) for user in "ab"]


def written(path, settings=SETTINGS):
    shards = ListShards(path, settings)
    shards.start()
    for number, table in enumerate(TABLES):
        shards.write(number, table)
    shards.finish(len(TABLES))
    return shards


def test_a_directory_is_one_table_and_its_manifest_says_what_it_is(tmp_path):
    shards = written(tmp_path / "lists")
    assert pq.read_table(tmp_path / "lists").equals(pa.concat_tables(TABLES))
    manifest = json.loads((tmp_path / "lists" / MANIFEST).read_text())
    assert (manifest["settings"], manifest["complete"], manifest["num_rows"]) == (SETTINGS, True, 2)
    assert [shard["file"] for shard in manifest["shards"]] == ["part-000000.parquet", "part-000001.parquet"]
    assert shards.finished and not ListShards(tmp_path / "lists", {**SETTINGS, "k": 4}).finished


def test_a_file_that_was_damaged_meanwhile_is_told(tmp_path):
    shards = written(tmp_path / "lists")
    (tmp_path / "lists" / "part-000001.parquet").write_bytes(b"junk")
    assert not shards.finished
    shards.start()
    with pytest.raises(RequestError, match=r"part-000001\.parquet was written whole, but is damaged now.*Remove it"):
        shards.finish(len(TABLES))


def test_goes_on_with_the_files_that_are_there(tmp_path):
    first = ListShards(tmp_path / "lists", SETTINGS)
    first.start()
    first.write(1, TABLES[1])
    (tmp_path / "lists" / ".part-000000.parquet-0a.partial").write_bytes(b"half")
    second = ListShards(tmp_path / "lists", SETTINGS)
    assert not second.finished
    second.start()
    assert [second.has(part) for part in (0, 1)] == [False, True]
    second.write(0, TABLES[0])
    second.finish(2)
    assert sorted(path.name for path in (tmp_path / "lists").iterdir()) == [
        "_manifest.json",
        "part-000000.parquet",
        "part-000001.parquet",
    ]


def test_a_file_that_has_gone_is_written_again(tmp_path):
    shards = written(tmp_path / "lists")
    (tmp_path / "lists" / "part-000001.parquet").unlink()
    assert not shards.finished
    shards.start()
    assert [shards.has(part) for part in (0, 1)] == [True, False]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"k": 4}, "begun with other settings: k was 3, and is 4 now. Go on with the same ones, choose another output"),
        ({"bundle": "second"}, "bundle was 'first, made today', and is 'second' now"),
        ({"model": "def"}, "model was 'abc', and is 'def' now"),
    ],
)
def test_other_settings_are_refused_before_and_after_the_end(changed, message, tmp_path):
    ListShards(tmp_path / "begun", SETTINGS).start()
    written(tmp_path / "whole")
    for name in ("begun", "whole"):
        with pytest.raises(RequestError, match=message):
            ListShards(tmp_path / name, {**SETTINGS, **changed}).start()


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match="must be a new directory or one with lists, but it has notes.txt and no"):
        ListShards(tmp_path, SETTINGS).start()
    assert not (tmp_path / MANIFEST).exists()
