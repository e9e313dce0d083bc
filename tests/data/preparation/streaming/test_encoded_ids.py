import pyarrow as pa
import pytest

from recsys.data.preparation.streaming.encoded_ids import EncodedIds

IDS = ["b", None, "a", "", "b"]
WHOLE = pa.DictionaryArray.from_arrays(pa.array([2, None, 1, 3, 2], pa.int32()), pa.array(["other", "a", "b", ""]))


@pytest.mark.parametrize(
    "column",
    [
        pa.chunked_array([pa.array(IDS)]),
        pa.chunked_array([pa.array(IDS[:2], pa.string()), pa.array(IDS[2:])]),
        pa.chunked_array([WHOLE]),
        pa.chunked_array([pa.array(IDS[:2]).dictionary_encode(), pa.array(IDS[2:]).dictionary_encode()]),
    ],
    ids=["plain", "chunks", "dictionary of all batches", "dictionaries of chunks"],
)
def test_each_distinct_id_is_there_once_in_its_order(column: pa.ChunkedArray) -> None:
    ids = EncodedIds.of(column)
    assert ids.plain.to_pylist() == IDS
    assert ids.distinct.to_pylist() == ["b", "a", ""]
    assert ids.missing.tolist() == [False, True, False, True, False]
    found = ids.dictionary.take(pa.array(ids.codes)).to_pylist()
    assert [one for one, expected in zip(found, IDS, strict=True) if expected is not None] == ["b", "a", "", "b"]


def test_there_may_be_no_rows_and_no_ids() -> None:
    for column in (pa.chunked_array([], pa.string()), pa.chunked_array([pa.array([None, None], pa.string())])):
        ids = EncodedIds.of(column)
        assert ids.distinct.to_pylist() == []
        assert len(ids.codes) == len(column)
