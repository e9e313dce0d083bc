from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError, PreparedDataError

# Any text that UTF-8 can hold: surrogates are no characters.
IDS = st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), max_size=20)


def make(*ids: str | None) -> Vocabulary:
    return Vocabulary.from_ids(pa.array(ids, pa.string()), "user_id")


def test_indices_follow_the_order_of_code_points() -> None:
    # U+0041 A < U+0061 a < U+00E9 é < U+FF21 Ａ < U+1F600 (which UTF-16 would put before U+FF21)
    assert make("😀", "é", "a", "Ａ", "A").ids.to_pylist() == ["A", "a", "é", "Ａ", "😀"]


def test_indices_do_not_depend_on_the_order_of_rows() -> None:
    assert make("b", "a", "c", "a") == make("c", "a", "b")


def test_leading_zeros_and_spaces_tell_ids_apart() -> None:
    vocabulary = make("7", "007", " 7", "7.0")
    assert len(vocabulary) == 4
    assert len({vocabulary.index(one) for one in ("7", "007", " 7", "7.0")}) == 4


def test_composed_and_decomposed_letters_are_different_ids() -> None:
    assert len(make("é", "e\u0301")) == 2


def test_unknown_ids_and_nulls_have_index_minus_one() -> None:
    indices = make("a", "b").index_of(pa.array(["b", "c", None, "a"]))
    assert indices.tolist() == [1, -1, -1, 0]
    assert indices.dtype == np.int32


def test_chunked_large_and_dictionary_strings_are_looked_up() -> None:
    vocabulary = make("a", "b")
    chunked = pa.chunked_array([pa.array(["b"], pa.large_string()), pa.array(["a", "x"], pa.large_string())])
    assert vocabulary.index_of(chunked).tolist() == [1, 0, -1]
    assert vocabulary.index_of(pa.array(["b", "x", "b"]).dictionary_encode()).tolist() == [1, -1, 1]


def test_nulls_are_no_ids() -> None:
    assert make("a", None).ids.to_pylist() == ["a"]


@given(IDS)
def test_every_id_comes_back_from_its_index(ids: list[str]) -> None:
    vocabulary = Vocabulary.from_ids(pa.array(ids, pa.string()), "item_id")
    indices = vocabulary.index_of(ids)
    assert vocabulary.ids_of(indices).to_pylist() == ids
    assert len(vocabulary) == len(set(ids))
    assert vocabulary.ids.to_pylist() == sorted(set(ids))  # Python compares strings by code points


@given(IDS)
def test_a_saved_vocabulary_is_loaded_as_it_was(ids: list[str]) -> None:
    vocabulary = Vocabulary.from_ids(pa.array(ids, pa.string()), "item_id")
    sink = pa.BufferOutputStream()
    pq.write_table(vocabulary.to_table(), sink)
    assert Vocabulary.load(pa.BufferReader(sink.getvalue()), "item_id") == vocabulary


def test_the_file_names_ids_and_indices(tmp_path: Path) -> None:
    make("b", "a").save(tmp_path / "user_vocabulary.parquet")
    table = pq.read_table(tmp_path / "user_vocabulary.parquet")
    assert table.to_pydict() == {"user_id": ["a", "b"], "user_index": [0, 1]}
    assert table.schema.field("user_index").type == pa.int32()


def test_an_unknown_id_is_named_with_near_matches() -> None:
    vocabulary = make("007", "196", "Anna", "zebra")
    with pytest.raises(DataError, match=r"user_id '7' is not among the 4 known ids\. Nearest: '007'"):
        vocabulary.index("7")
    with pytest.raises(DataError, match="Nearest: 'Anna'"):
        vocabulary.index("anna")
    with pytest.raises(DataError, match="Nearest: 'zebra'"):
        vocabulary.index("zebr")


def test_an_unknown_id_unlike_any_other_is_named_alone() -> None:
    with pytest.raises(DataError, match=r"'qqqqqqqq' is not among the 2 known ids\. Ids are compared as text"):
        make("1", "2").index("qqqqqqqq")


def test_near_matches_are_found_among_many_ids() -> None:
    vocabulary = Vocabulary.from_ids(pa.array([f"user{number:06}" for number in range(30_000)]), "user_id")
    with pytest.raises(DataError, match="Nearest: .*'user029999'"):
        vocabulary.index("user029999x")


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.parquet").write_bytes(b"nonsense")
    with pytest.raises(PreparedDataError, match="cannot be read as a vocabulary"):
        Vocabulary.load(tmp_path / "v.parquet", "user_id")


@pytest.mark.parametrize(
    ("ids", "indices"),
    [(["a", "a"], [0, 1]), (["a", None], [0, 1]), (["a", "b"], [1, 0])],
    ids=["repeated", "null", "other indices"],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path, ids: list[str | None], indices: list[int]) -> None:
    pq.write_table(pa.table({"user_id": ids, "user_index": indices}), tmp_path / "v.parquet")
    with pytest.raises(PreparedDataError, match="must hold distinct user_id values with user_index counting from 0"):
        Vocabulary.load(tmp_path / "v.parquet", "user_id")


def test_ids_that_are_appended_get_the_next_indices(tmp_path: Path) -> None:
    grown = make("b", "c").appended(pa.array(["a"]))
    assert grown.index_of(["b", "c", "a"]).tolist() == [0, 1, 2]
    grown.save(tmp_path / "v.parquet")
    assert Vocabulary.load(tmp_path / "v.parquet", "user_id") == grown


def test_a_file_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    make("a").save(tmp_path / "v.parquet")
    with pytest.raises(PreparedDataError, match="cannot be read as a vocabulary"):
        Vocabulary.load(tmp_path / "v.parquet", "item_id")
