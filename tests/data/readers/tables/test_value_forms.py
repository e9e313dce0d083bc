import pyarrow as pa
import pytest

from recsys.data.readers.number_times import NumberTimes
from recsys.data.readers.tables.value_forms import must_be_scanned, scan_values
from recsys.errors import DataError

WANTED = {"user_id": "who", "rating": "stars", "weight": "times", "timestamp": "at"}


def part(**columns: list[object]) -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def test_all_parts_together_tell_how_values_are_written() -> None:
    parts = [part(stars=["1,500", "2"], times=["1", "2.5"], at=["1/2/2024", None])]
    parts.append(part(stars=["3,5", ""], times=["3,5", "4"], at=["31/1/2024", ""]))
    forms = scan_values(parts, WANTED, "a file")
    assert forms.decimal_commas == {"rating"}
    assert forms.text_times.dates is not None and forms.text_times.dates.order == "the day first"
    alone = scan_values(parts[:1], {"rating": "stars"}, "a file")
    assert alone.decimal_commas == frozenset()


def test_columns_of_numbers_are_scanned_for_times_alone() -> None:
    forms = scan_values([part(stars=[1.5], at=[1_700_000_000_000])], {"rating": "stars", "timestamp": "at"}, "a file")
    assert forms.decimal_commas == frozenset()
    assert forms.number_times == NumberTimes(1_000, None, 1.7e12)


@pytest.mark.parametrize(
    ("role", "type_", "must"),
    [
        ("timestamp", pa.int64(), True),
        ("timestamp", pa.string(), True),
        ("timestamp", pa.timestamp("us"), False),
        ("rating", pa.float32(), False),
        ("rating", pa.large_string(), True),
        ("weight", pa.dictionary(pa.int32(), pa.string()), True),
        ("user_id", pa.string(), False),
    ],
)
def test_what_only_a_whole_column_tells(role: str, type_: pa.DataType, must: bool) -> None:
    assert must_be_scanned(role, type_) is must


def test_an_order_that_nothing_tells_is_refused_with_the_column_and_the_setting() -> None:
    with pytest.raises(DataError, match=r"a file: column 'at' holds dates .* as in '1/2/2024'\. Set data\.day_first"):
        scan_values([part(at=["1/2/2024"])], WANTED, "a file")
    told = scan_values([part(at=["1/2/2024"])], WANTED, "a file", day_first=False)
    assert told.text_times.dates is not None and told.text_times.dates.order == "the month first"
