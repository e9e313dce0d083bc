import pytest

from recsys.data.preparing import Preparation
from recsys.data.readers.prepared import PreparedReader
from recsys.errors import DataError
from tests.data.raw_data import FakeReader, films


def test_it_is_opened_as_it_is_and_read_by_ids(tmp_path):
    prepared = Preparation().prepare(FakeReader(films()), tmp_path / "films")
    reader = PreparedReader(tmp_path / "films")
    assert reader.open().schema == prepared.schema and reader.name == "films"
    raw = reader.read()
    again = Preparation().prepare(FakeReader(raw), tmp_path / "again")
    assert again.schema.content_hash == prepared.schema.content_hash
    assert reader.fingerprint() == {"reader": "PreparedReader", "content_hash": prepared.schema.content_hash}


def test_a_directory_is_required():
    with pytest.raises(DataError, match="needs a prepared directory"):
        PreparedReader().read()
