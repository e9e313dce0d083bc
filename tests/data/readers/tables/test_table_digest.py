import pyarrow as pa

from recsys.data.readers.tables.table_digest import TableDigest


def digest(*tables: pa.Table) -> str:
    found = TableDigest()
    for table in tables:
        found.add(table)
    return found.hexdigest()


def test_equal_rows_have_equal_digests_and_others_do_not() -> None:
    rows = pa.table({"a": [1, 2], "b": ["x", None]})
    assert digest(rows, rows) == digest(pa.table({"a": [1, 2], "b": ["x", None]}), rows)
    others = [rows.slice(1), rows.rename_columns(["a", "c"]), rows.set_column(0, "a", pa.array([1.0, 2.0]))]
    assert len({digest(rows), digest(rows, rows), *map(digest, others)}) == 5
