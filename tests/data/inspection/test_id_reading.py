import pyarrow as pa

from recsys.data.inspection.id_reading import IdReading
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset

ROWS = pa.table({"user_id": [" NaN", "a "], "item_id": ["x", "x"]})


def test_nothing_is_done_where_no_setting_says_so():
    assert IdReading.of(Preparation()).columns_of(ROWS) is ROWS


def test_white_space_does_not_hide_a_word_for_a_missing_value():
    reading = IdReading.of(Preparation(strip_ids=True, null_ids="missing"))
    assert reading.columns_of(ROWS)["user_id"].to_pylist() == [None, "a"]
    assert reading.ids_of(RawDataset("toy", ROWS)).interactions["user_id"].to_pylist() == [None, "a"]
