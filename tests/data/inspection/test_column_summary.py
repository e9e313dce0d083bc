from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.inspection.column_summary import ColumnSummary, summarize_columns
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset

ID_TYPE = pa.dictionary(pa.int32(), pa.string())


def test_each_column_of_each_table_is_summarized() -> None:
    raw = RawDataset(
        name="x",
        interactions=pa.table(
            {
                "user_id": pa.array(["u", "v", "", None], pa.string()).dictionary_encode().cast(ID_TYPE),
                "item_id": ["a", "b", "a", "a"],
                "rating": pa.array([4.5, float("nan"), 3, 3], pa.float32()),
                "timestamp": [10, 20, 30, 40],
            }
        ),
        users=pa.table({"user_id": ["u"], "seen": [date(2024, 5, 31)]}),
        items=pa.table(
            {
                "item_id": ["a", "b"],
                "tags": [["x", "y"], None],
                "genres": ["A|B", "B | C"],
                "gone": [True, None],
                "story": ["w" * 100, ""],
                "box": [{"a": 1}, None],
            }
        ),
        user_features=(FeatureColumn("seen", FeatureKind.NUMBER),),
        item_features=(
            FeatureColumn("tags", FeatureKind.MULTI_VALUED),
            FeatureColumn("genres", FeatureKind.MULTI_VALUED, "|"),
            FeatureColumn("gone", FeatureKind.CATEGORICAL),
        ),
    )
    assert summarize_columns(raw) == (
        ColumnSummary("interactions", "user_id", "id", 2, 0.5, "u"),
        ColumnSummary("interactions", "item_id", "id", 2, 0.0, "a"),
        ColumnSummary("interactions", "rating", "rating", 2, 0.25, "4.5"),
        ColumnSummary("interactions", "timestamp", "time", 4, 0.0, "10"),
        ColumnSummary("users", "user_id", "id", 1, 0.0, "u"),
        ColumnSummary("users", "seen", "date", 1, 0.0, "2024-05-31"),
        ColumnSummary("items", "item_id", "id", 2, 0.0, "a"),
        ColumnSummary("items", "tags", "multi-valued", 2, 0.5, "x, y"),
        ColumnSummary("items", "genres", "multi-valued", 3, 0.0, "A|B"),
        ColumnSummary("items", "gone", "boolean", 1, 0.5, "true"),
        ColumnSummary("items", "story", "no feature", 1, 0.5, "w" * 59 + "…"),
        ColumnSummary("items", "box", "no feature", None, 0.5, "{'a': 1}"),
    )


def test_times_have_their_parts_of_a_second() -> None:
    times = pa.table(
        {
            "user_id": ["u", "u", "u"],
            "item_id": ["a", "b", "c"],
            "timestamp": [1_600_000_000, 1_600_000_000, 1_600_000_000],
            "subsecond_ns": pa.array([120_000_000, 0, 120_000_000], pa.int32()),
        }
    )
    summary = summarize_columns(RawDataset(name="x", interactions=times))[-1]
    assert summary == ColumnSummary("interactions", "timestamp", "time", 2, 0.0, "2020-09-13 12:26:40.12")


def test_columns_without_a_value_have_no_example() -> None:
    raw = RawDataset(
        name="x",
        interactions=pa.table({"user_id": pa.array([None], pa.string()), "item_id": ["a"]}),
        items=pa.table({"item_id": ["a"], "nothing": pa.nulls(1), "lists": pa.array([[]], pa.list_(pa.null()))}),
    )
    summaries = {summary.name: summary for summary in summarize_columns(raw)}
    assert summaries["user_id"] == ColumnSummary("interactions", "user_id", "id", 0, 1.0, None)
    assert summaries["nothing"] == ColumnSummary("items", "nothing", "no feature", 0, 1.0, None)
    assert summaries["lists"] == ColumnSummary("items", "lists", "no feature", 0, 0.0, "")


@pytest.mark.parametrize("type_", [np.int8, np.uint8, np.int64, np.uint64])
@pytest.mark.parametrize("spread", [1, 100])
def test_numbers_are_counted_to_the_ends_of_their_type(type_: type[np.integer], spread: int) -> None:
    ends = np.iinfo(type_)
    # Differences of int8 do not fit int8; that of both ends of 64 bits is larger than any number of marks.
    near = [int(ends.max) - place for place in range(0, 201, spread)] * 2
    values = np.array([*near, int(ends.min)], dtype=type_)
    for given in (values, values[:-1]):
        table = pa.table({"user_id": ["u"] * len(given), "item_id": ["a"] * len(given), "level": given})
        summary = summarize_columns(RawDataset(name="x", interactions=table))[-1]
        assert summary.num_values == len(set(given.tolist()))
