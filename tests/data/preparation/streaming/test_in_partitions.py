import json
import tempfile
import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data.data_warnings import collected_warnings
from recsys.data.preparation import writing
from recsys.data.preparation.streaming.executor import InProcess
from recsys.data.preparation.streaming.in_partitions import prepare_in_partitions
from recsys.data.preparation.writing import write_prepared
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream
from recsys.data.schema import Schema
from recsys.errors import DataError
from tests.data.preparation.streaming.executors import Unreliable
from tests.data.raw_data import films, interactions_table

#: So many bytes of text are several partitions.
MANY_BYTES = 200 << 20

IDS = ["a", "b", "c", "ä", " a", "007", "7"]


def outcome(given: RawDataset | RawStream, preparation: Preparation) -> dict[str, Any] | str:
    """What preparation writes and says, or its error."""
    with tempfile.TemporaryDirectory() as name, collected_warnings() as warned:
        directory = Path(name)
        try:
            write_prepared(given, preparation, {}, directory, warned)
        except DataError as error:
            return str(error)
        assert not (directory / "scratch").exists()
        Schema.load(directory / "schema.json")
        content: dict[str, Any] = json.loads((directory / "schema.json").read_text())
        return content


def both(raw: RawDataset, preparation: Preparation, batch_rows: int) -> tuple[Any, Any]:
    stream = RawStream.of(raw, batch_rows)
    stream = replace(stream, num_bytes=MANY_BYTES)
    return outcome(raw, preparation), outcome(stream, preparation)


@st.composite
def raw_data(draw: st.DrawFn) -> RawDataset:
    size = draw(st.integers(0, 40))

    def column(values: st.SearchStrategy[Any], type_: pa.DataType) -> pa.Array:
        return pa.array(draw(st.lists(values, min_size=size, max_size=size)), type_)

    some_missing = draw(st.booleans())
    odd = [None, ""] if some_missing else []
    id_type = draw(st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]))
    columns = {
        name: column(st.sampled_from([*IDS, *odd]), pa.string()).cast(id_type) for name in ("user_id", "item_id")
    }
    bad_numbers = [None, float("nan"), float("inf")] if some_missing else []
    if draw(st.booleans()):
        columns["rating"] = column(st.sampled_from([0.0, -0.0, 1.0, 2.5, 5.0, *bad_numbers]), pa.float64())
    times = draw(st.sampled_from(["none", "whole", "parts", "fractions"]))
    if times in ("whole", "parts"):
        columns["timestamp"] = column(
            st.sampled_from([0, 1, 2, 3, 10**9, *([None, -1, 10**13] * some_missing)]), pa.int64()
        )
    if times == "parts":
        columns["subsecond_ns"] = column(st.sampled_from([0, 1, 500_000_000]), pa.int32())
    if times == "fractions":
        columns["timestamp"] = column(st.sampled_from([0.25, 0.5, 1.0, 1e9 + 0.123456789, *bad_numbers]), pa.float64())
    if draw(st.booleans()):
        columns["weight"] = column(st.floats(-8, 8, width=32) | st.sampled_from([1.0, 1.0, -1.0]), pa.float32())
    if draw(st.integers(0, 3)) == 0:
        columns["fold"] = column(st.sampled_from(["train", "test"]), pa.string())
    if draw(st.integers(0, 3)) == 0:
        columns["tags"] = column(st.sampled_from([["x", "y"], [], None]), pa.list_(pa.string()))
    items = pa.table({"item_id": ["a", "z", "7 "], "title": ["A", None, "Z"]}) if draw(st.booleans()) else None
    return RawDataset("made", pa.table(columns), items=items)


PREPARATIONS = st.builds(
    Preparation,
    positive_threshold=st.sampled_from([None, None, 2.0, 9.0]),
    min_user_interactions=st.integers(1, 3),
    min_item_interactions=st.integers(1, 3),
    include_unrated_items=st.booleans(),
    invalid_rows=st.sampled_from(["drop", "drop", "error"]),
    repeats=st.sampled_from(["latest", "first", "keep", "aggregate"]),
    strip_ids=st.booleans(),
    null_ids=st.sampled_from(["warn", "keep", "missing"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw_data(), PREPARATIONS, st.integers(1, 9))
def test_partitions_give_what_memory_gives(raw: RawDataset, preparation: Preparation, batch_rows: int) -> None:
    whole, parts = both(raw, preparation, batch_rows)
    assert parts == whole


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw_data(), PREPARATIONS, st.integers(1, 9))
def test_parts_that_are_sent_away_and_run_twice_give_what_memory_gives(
    raw: RawDataset, preparation: Preparation, batch_rows: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "executor_of", lambda engine, scratch: nullcontext(Unreliable()))
        whole, parts = both(raw, preparation, batch_rows)
    assert parts == whole


def test_a_thousand_users_are_divided_and_come_together_again() -> None:
    generator = np.random.default_rng(0)
    users, items = generator.integers(0, 1000, 20_000), (generator.random(20_000) ** 3 * 300).astype(int)
    table = pa.table(
        {
            "user_id": pa.array(users).cast(pa.string()),
            "item_id": pa.array(items).cast(pa.string()),
            "rating": generator.integers(1, 11, 20_000) / 2,
            "timestamp": generator.integers(0, 10**9, 20_000),
        }
    )
    preparation = Preparation(positive_threshold=3, min_user_interactions=5, min_item_interactions=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole, parts = both(RawDataset("many", table), preparation, 3000)
    assert whole["num_interactions"] > 5000
    assert parts == whole


def test_the_order_is_that_of_time_where_times_are_finer_than_seconds(tmp_path: Path) -> None:
    rows = [("a", "x", 1.0, 7, 500), ("b", "x", 2.0, 7, 100), ("c", "y", 3.0, 5, 0), ("d", "y", 4.0, 7, 100)]
    table = interactions_table(rows, ("user_id", "item_id", "rating", "timestamp", "subsecond_ns"))
    stream = RawStream.of(RawDataset("toy", table), 2)
    written = prepare_in_partitions(
        stream,
        Preparation(),
        pa.array([], pa.string()),
        tmp_path / "i.parquet",
        tmp_path,
        InProcess(),
        num_partitions=3,
    )
    assert pq.read_table(tmp_path / "i.parquet")["rating"].to_pylist() == [3.0, 2.0, 4.0, 1.0]
    assert written.further_columns == ("subsecond_ns",)


@pytest.mark.parametrize("num_partitions", [1, 2, 64])
def test_the_number_of_partitions_does_not_show(num_partitions: int, tmp_path: Path) -> None:
    raw = films()
    written = prepare_in_partitions(
        RawStream.of(raw, 2),
        Preparation(),
        raw.items["item_id"].combine_chunks(),
        tmp_path / "i.parquet",
        tmp_path,
        InProcess(),
        num_partitions,
    )
    assert written.users.ids.to_pylist() == ["007", "7", "ánna"]
    assert pq.read_table(tmp_path / "i.parquet")["user_index"].to_pylist() == [1, 0, 1, 2, 0]
