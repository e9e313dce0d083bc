from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.preparation.in_memory import prepare_in_memory
from recsys.data.preparing import Preparation
from tests.data.raw_data import interactions_table


def test_interactions_are_written_and_what_is_known_of_them_returned(tmp_path: Path) -> None:
    table = interactions_table([("b", "x", 5.0, 7), ("a", "x", 3.0, 8), ("b", "x", 4.0, 9), ("", "y", 1.0, 9)])
    preparation = Preparation(invalid_rows="drop", repeats="keep")
    written = prepare_in_memory(table, preparation, pa.array([], pa.string()), tmp_path / "i.parquet")
    assert pq.read_table(tmp_path / "i.parquet")["user_index"].to_pylist() == [1, 0, 1]
    assert (written.users.ids.to_pylist(), written.items.ids.to_pylist()) == (["a", "b"], ["x"])
    assert (written.totals.num_interactions, written.num_pairs) == (3, 2)
    assert (written.user_ids.to_pylist(), written.item_ids.to_pylist()) == (["b", "a"], ["x", "y"])
    assert written.further_columns == ("weight",)
    assert [column.num_values for column in written.columns] == [2, 2, 4, 3]


def test_columns_in_several_pieces_and_text_beside_them_change_nothing(tmp_path: Path) -> None:
    rows = [("b", "x", 5.0, 7), ("a", "x", 3.0, 8), ("a", "y", 4.0, 9)]
    whole = interactions_table(rows).append_column("note", pa.array(["p", None, "q"]))
    ids = pa.dictionary(pa.int32(), pa.string())
    pieces = pa.concat_tables(
        part.set_column(0, "user_id", part["user_id"].cast(ids)) for part in (whole.slice(0, 1), whole.slice(1))
    )
    assert pieces["user_id"].num_chunks == pieces["note"].num_chunks == 2
    written = [
        prepare_in_memory(table, Preparation(), pa.array([], pa.string()), tmp_path / name)
        for name, table in (("whole", whole), ("pieces", pieces))
    ]
    assert pq.read_table(tmp_path / "pieces").equals(pq.read_table(tmp_path / "whole"))
    assert written[0].columns == written[1].columns
    assert written[0].user_ids == written[1].user_ids
