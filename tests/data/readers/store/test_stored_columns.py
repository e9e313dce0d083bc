from __future__ import annotations

import pyarrow as pa

from recsys.data.readers.store.stored_columns import STORED_TYPES, Look, StoredColumns, look_through


def rows(*values: tuple[str, str, int, float | None]) -> pa.Table:
    schema = pa.schema(list(STORED_TYPES.items()))
    return pa.Table.from_pylist([dict(zip(schema.names, one, strict=True)) for one in values], schema)


def test_all_parts_are_looked_through() -> None:
    parts = [rows(("a", "x", 5_000_000, 1.0)), rows(("b", "x", 6_000_250, None), ("b", "y", 7_000_000, 2.0))]
    assert look_through(parts) == Look(num_rows=3, num_without_value=1, has_subseconds=True)
    assert look_through(parts[:1]) == Look(1, 0, False)
    assert look_through([]) == Look(0, 0, False)


def test_columns_have_the_names_of_the_framework() -> None:
    part = rows(("a", "x", 6_000_250, 4.0))
    assert StoredColumns("rating", True).of(part).to_pylist() == [
        {"user_id": "a", "item_id": "x", "timestamp": 6, "subsecond_ns": 250_000, "rating": 4.0}
    ]
    assert StoredColumns(None, False).of(part).to_pylist() == [{"user_id": "a", "item_id": "x", "timestamp": 6}]
