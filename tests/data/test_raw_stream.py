from recsys.data.raw_stream import RawStream, StreamingReader
from tests.data.raw_data import FakeReader, films


def test_data_in_memory_come_in_batches_again_and_again() -> None:
    stream = RawStream.of(films(), batch_rows=2)
    for _ in range(2):
        batches = list(stream.batches())
        assert [len(batch) for batch in batches] == [2, 2, 1]
        assert batches[2]["item_id"].to_pylist() == ["w"]
    assert stream.rest.interactions.schema == films().interactions.schema
    assert (len(stream.rest.interactions), stream.rest.items) == (0, films().items)


def test_a_reader_without_a_stream_is_none_that_streams() -> None:
    assert not isinstance(FakeReader(films()), StreamingReader)
