import pytest
from omegaconf import OmegaConf

from recsys.data.preparing import Preparation
from recsys.data.readers.prepared import PreparedReader
from recsys.data.readers.table import TableReader
from recsys.errors import DataError, RunError
from recsys.runs.updating.new_data import NewData
from tests.data.raw_data import FakeReader, films

TABLE = OmegaConf.create(
    {
        "data": {
            "_target_": "recsys.data.readers.table.TableReader",
            "interactions": "old.csv",
            "columns": {"user": "who", "item": "what"},
            "separator": ";",
        }
    }
)


def test_tables_are_read_in_the_form_of_those_before(tmp_path):
    (tmp_path / "new.csv").write_text("who;what;when\na;x;3\n")
    new = NewData(str(tmp_path / "new.csv"), columns={"timestamp": "when"})
    assert new.form(TABLE) == {"separator": ";", "columns": {"user": "who", "item": "what", "timestamp": "when"}}
    reader = new.reader(TABLE)
    assert isinstance(reader, TableReader)
    assert reader.read().interactions.to_pylist() == [{"user_id": "a", "item_id": "x", "timestamp": 3}]


def test_the_form_is_handed_on_by_what_was_appended_to():
    form = NewData("new.csv").form(TABLE)
    data = {"_target_": "recsys.data.readers.prepared.PreparedReader", "directory": "d", "table": form}
    assert NewData("newer.csv").form(OmegaConf.create({"data": data})) == form
    assert NewData("newer.csv").form(OmegaConf.create({"data": None})) == {}


def test_a_prepared_directory_is_read_as_one(tmp_path):
    Preparation().prepare(FakeReader(films()), tmp_path / "films")
    assert isinstance(NewData(str(tmp_path / "films")).reader(TABLE), PreparedReader)
    with pytest.raises(RunError, match="which has users and items of its own"):
        NewData(str(tmp_path / "films"), items="items.csv").reader(TABLE)


def test_dates_of_one_day_are_read_as_it_is_said(tmp_path):
    (tmp_path / "new.csv").write_text("who;what;timestamp\na;x;03/04/2024\n")
    with pytest.raises(DataError, match=r"data\.day_first=true or"):
        NewData(str(tmp_path / "new.csv")).reader(TABLE).read()
    new = NewData(str(tmp_path / "new.csv"), day_first=True)
    assert new.reader(TABLE).read().interactions["timestamp"].to_pylist() == [1712102400]
    assert new.form(TABLE)["day_first"] is True


@pytest.mark.parametrize("tables", [{"interactions": ""}, {"interactions": "new.csv", "items": ""}])
def test_a_name_that_is_empty_is_no_directory_of_tables(tables):
    with pytest.raises(RunError, match=r"must be a file, a directory or a pattern, but is empty"):
        NewData(**tables).reader(TABLE)


@pytest.mark.parametrize("tables", [{"interactions": "s3://a/b.csv"}, {"interactions": "new.csv", "items": "gs://a/b"}])
def test_a_url_is_told_as_one(tables):
    with pytest.raises(RunError, match=r"reads files of this machine, but \w+=\w+://a/b.* is a URL\. Fetch it first"):
        NewData(**tables).reader(TABLE)
