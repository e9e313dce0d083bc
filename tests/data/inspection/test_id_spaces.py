from __future__ import annotations

import warnings

import pyarrow as pa
import pytest

from recsys.data.inspection.id_spaces import has_spaces, strip_ids, warn_of_spaces
from recsys.data.raw import RawDataset
from recsys.errors import DataWarning

ID_TYPE = pa.dictionary(pa.int32(), pa.string())


def test_ids_that_differ_by_white_space_are_counted() -> None:
    message = r"^4 users are 2 if white space around ids does not count: 'a ' and 'a', for example\. .*strip_ids=true"
    with pytest.warns(DataWarning, match=message):
        warn_of_spaces(pa.array(["a ", "a", "b", "\u00a0b"]), "users")


def test_white_space_that_tells_ids_apart_from_nothing_is_fine() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warn_of_spaces(pa.array(["a b", "ab", " c", "A"]), "users")
    assert not caught


def test_ids_are_stripped_in_all_tables() -> None:
    users = pa.chunked_array(
        [pa.array(["a ", "a", "b"]).dictionary_encode(), pa.array(["b ", None]).dictionary_encode()]
    )
    raw = RawDataset(
        name="x",
        interactions=pa.table(
            {"user_id": users.cast(ID_TYPE), "item_id": [" x", "x", "y", "y", "y"], "rating": range(5)}
        ),
        users=pa.table({"user_id": ["a "], "age": [1]}),
        items=pa.table({"item_id": ["x\t"]}),
        fixed_negatives=pa.table({"user_id": [" a"], "item_ids": [["x ", " y"]]}),
    )
    stripped = strip_ids(raw)
    assert stripped.interactions["user_id"].to_pylist() == ["a", "a", "b", "b", None]
    assert len(stripped.interactions["user_id"].chunk(0).dictionary) == 2
    assert stripped.interactions["item_id"].to_pylist() == ["x", "x", "y", "y", "y"]
    assert stripped.interactions["rating"].to_pylist() == [0, 1, 2, 3, 4]
    assert stripped.users is not None and stripped.users.to_pylist() == [{"user_id": "a", "age": 1}]
    assert stripped.items is not None and stripped.items.to_pylist() == [{"item_id": "x"}]
    assert stripped.fixed_negatives is not None
    assert stripped.fixed_negatives.to_pylist() == [{"user_id": "a", "item_ids": ["x", "y"]}]


def test_what_is_not_there_is_not_stripped() -> None:
    raw = RawDataset(name="x", interactions=pa.table({"user_id": ["a "], "item_id": ["b"]}))
    stripped = strip_ids(raw)
    assert (stripped.users, stripped.items, stripped.fixed_negatives) == (None, None, None)


@pytest.mark.parametrize(
    ("ids", "expected"), [(["a", "b c"], False), (["a", " b"], True), (["a\t"], True), ([], False)]
)
def test_white_space_around_ids_is_found(ids, expected):
    assert has_spaces(pa.array(ids, pa.string())) is expected
