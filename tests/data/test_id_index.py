import zlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data import id_index
from recsys.data.id_index import IdIndex

#: Words that have the same CRC-32.
SAME_CHECKSUM = ("plumless", "buckeroo")

KINDS = {
    "numbers": [str(number) for number in range(200)],
    "leading zeros": ["7", "007", "07", "7 ", " 7", "7.0"],
    "words": ["é", "e\u0301", "Straße", "STRASSE", "用户", "🙂", "a\x00b", "a", ""],
    "uuids": [f"3f2504e0-4f89-41d3-9a0c-{number:012x}" for number in range(100)],
    "equal checksums": [*SAME_CHECKSUM, "other"],
    "one": ["only"],
    "none": [],
}


@pytest.mark.parametrize("ids", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("mapped", [False, True])
def test_it_answers_as_a_dictionary_does(tmp_path, ids, mapped):
    index = IdIndex.of(ids)
    if mapped:
        index.save(tmp_path / "ids.arrow")
        index = IdIndex.map(tmp_path / "ids.arrow")
    places = {name: place for place, name in enumerate(ids)}
    asked = [*ids, "unknown", "", "7", "Only", "e", "\ud800", *SAME_CHECKSUM, *reversed(ids)]
    expected = [places.get(name, -1) for name in asked]
    assert [index.index_of(name) for name in asked] == expected
    assert index.indices_of(asked).tolist() == expected
    assert index.indices_of(asked * 3).tolist() == expected * 3
    assert index.indices_of([]).tolist() == [] and index.indices_of(asked).dtype == np.int64
    assert index.ids_of(np.arange(len(ids))[::-1]) == ids[::-1]
    assert len(index) == len(ids)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=4), unique=True), st.lists(st.text(max_size=4)))
def test_any_ids_are_found(ids, others):
    index, places = IdIndex.of(ids), {name: place for place, name in enumerate(ids)}
    asked = [*ids, *others] * 3
    expected = [places.get(name, -1) for name in asked]
    assert [index.index_of(name) for name in asked] == expected == index.indices_of(asked).tolist()


def test_ids_with_equal_checksums_are_told_apart():
    assert len({zlib.crc32(word.encode()) for word in SAME_CHECKSUM}) == 1
    many = [*SAME_CHECKSUM, *map(str, range(50))]
    index = IdIndex.of(many)
    assert index.indices_of(many).tolist() == list(range(52))
    assert IdIndex.of(many[1:]).indices_of(many).tolist() == [-1, *range(51)]


def test_a_part_of_an_array_is_an_index_of_its_own():
    index = IdIndex.of(pa.array(["x", "a", "b", "c"])[1:3])
    assert index.indices_of(["a", "b", "c", "x"]).tolist() == [0, 1, -1, -1]
    assert index.indices_of(["a", "b", "c", "x"] * 10).tolist() == [0, 1, -1, -1] * 10
    assert index.ids_of(np.array([1, 0])) == ["b", "a"]


def test_checksums_are_computed_in_blocks(monkeypatch):
    monkeypatch.setattr(id_index, "_BLOCK", 3)
    ids = [f"user {number}" for number in range(10)]
    assert IdIndex.of(ids).indices_of(ids).tolist() == list(range(10))


def test_what_is_mapped_takes_no_memory_of_arrow(tmp_path):
    IdIndex.of([f"user {number}" for number in range(100_000)]).save(tmp_path / "ids.arrow")
    before = pa.total_allocated_bytes()
    index = IdIndex.map(tmp_path / "ids.arrow")
    assert index.index_of("user 99999") == 99_999
    assert pa.total_allocated_bytes() - before < 10_000


@pytest.mark.parametrize("change", ["text", "column", "place", "missing"])
def test_another_file_is_refused(tmp_path, change):
    path = tmp_path / "ids.arrow"
    columns = {"id": pa.array(["a", "b"]), "checksum": pa.array([1, 2], pa.uint32()), "index": pa.array([0, 1])}
    columns["index"] = pa.array({"place": [0, 2], "missing": [0, None]}.get(change, [0, 1]), pa.int32())
    if change == "column":
        columns["more"] = pa.array([1, 2])
    with pa.OSFile(str(path), "wb") as sink:
        if change == "text":
            sink.write(b"no Arrow file")
        else:
            table = pa.table(columns)
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
    with pytest.raises(ValueError, match="too small|columns|beyond|missing"):
        IdIndex.map(path)
