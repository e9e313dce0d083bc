import json
from pathlib import Path

from recsys.data.preparation.writing import write_prepared
from recsys.data.preparing import Preparation
from recsys.data.raw_stream import RawStream
from tests.data.raw_data import films


def test_a_stream_is_written_as_data_in_memory_are_and_leaves_nothing_else(tmp_path: Path) -> None:
    contents = []
    for name, given in (("whole", films()), ("stream", RawStream.of(films(), 2))):
        (tmp_path / name).mkdir()
        write_prepared(given, Preparation(), {"of": "films"}, tmp_path / name, ["odd"])
        contents.append(json.loads((tmp_path / name / "schema.json").read_text()))
    assert contents[0] == contents[1]
    assert (contents[0]["fingerprint"], contents[0]["warnings"]) == ({"of": "films"}, ["odd"])
    names = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("whole", "stream")]
    assert names[0] == names[1]
