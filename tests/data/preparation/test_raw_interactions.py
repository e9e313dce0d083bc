import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.preparation.raw_interactions import CodedInteractions, code_interactions
from recsys.errors import DataError
from tests.data.raw_data import interactions_table

NAN = float("nan")
INFINITE = float("inf")


def code(rows: list[tuple[object, ...]], *columns: str, invalid_rows: str = "error") -> CodedInteractions:
    names = columns or ("user_id", "item_id", "rating", "timestamp")
    return code_interactions(interactions_table(rows, names), invalid_rows)  # type: ignore[arg-type]


# --- what is read ----------------------------------------------------------------------------------------------------


def test_rows_become_indices_numbers_and_seconds() -> None:
    coded = code([("b", "x", 5, 10), ("a", "x", 3, 20)])
    assert coded.interactions.user_index.tolist() == [1, 0]
    assert coded.interactions.item_index.tolist() == [0, 0]
    assert coded.interactions.rating is not None and coded.interactions.rating.dtype == np.float32
    assert coded.interactions.rating.tolist() == [5.0, 3.0]
    assert coded.interactions.timestamp is not None and coded.interactions.timestamp.dtype == np.int64
    assert coded.interactions.timestamp.tolist() == [10, 20]
    assert coded.users.ids.to_pylist() == ["a", "b"]


def test_ids_alone_are_enough_and_further_columns_are_ignored() -> None:
    table = interactions_table([("a", "x")]).append_column("review", pa.array(["fine"]))
    interactions = code_interactions(table, "error").interactions
    assert (interactions.rating, interactions.timestamp, interactions.fold) == (None, None, None)


def test_folds_become_positions_in_the_list_of_folds() -> None:
    rows = [("a", "x", "test"), ("a", "y", "train"), ("b", "x", "valid")]
    fold = code(rows, "user_id", "item_id", "fold").interactions.fold
    assert fold is not None and fold.dtype == np.int8
    assert fold.tolist() == [2, 0, 1]


@pytest.mark.parametrize("id_type", [pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_every_form_of_string_column_gives_the_same_codes(id_type: pa.DataType) -> None:
    plain = interactions_table([("b", "x"), ("a", "é"), ("b", "é")])
    other = plain.cast(pa.schema([("user_id", id_type), ("item_id", id_type)]))
    expected, found = code_interactions(plain, "error"), code_interactions(other, "error")
    assert found.users == expected.users and found.items == expected.items
    assert found.interactions.user_index.tolist() == expected.interactions.user_index.tolist()


def test_chunks_with_dictionaries_of_their_own_are_joined() -> None:
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["a", "c"]).dictionary_encode()]
    table = pa.table({"user_id": pa.chunked_array(chunks), "item_id": ["x", "x", "x", "x"]})
    assert code_interactions(table, "error").interactions.user_index.tolist() == [1, 0, 0, 2]


def test_a_dictionary_may_repeat_a_value_and_hold_unused_ones() -> None:
    users = pa.DictionaryArray.from_arrays(pa.array([2, 0, 1], pa.int32()), pa.array(["b", "a", "b", "unused"]))
    coded = code_interactions(pa.table({"user_id": users, "item_id": ["x", "y", "z"]}), "error")
    assert coded.users.ids_of(coded.interactions.user_index).to_pylist() == ["b", "b", "a"]


def test_a_full_dictionary_of_eight_bits_may_still_have_nulls() -> None:
    ids = [f"{number:03}" for number in range(128)]
    users = pa.array([*ids, None]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
    coded = code_interactions(pa.table({"user_id": users, "item_id": ["x"] * 129}), "drop")
    assert coded.interactions.user_index.tolist() == list(range(128))


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.float64(), pa.decimal128(4, 1)])
def test_any_number_is_a_rating(kind: pa.DataType) -> None:
    table = interactions_table([("a", "x")]).append_column("rating", pa.array(["4"]).cast(kind))
    rating = code_interactions(table, "error").interactions.rating
    assert rating is not None and rating.tolist() == [4.0]


def test_fractions_of_seconds_are_cut_off() -> None:
    table = interactions_table([("a", "x")]).append_column("timestamp", pa.array([86_401.999]))
    timestamp = code_interactions(table, "error").interactions.timestamp
    assert timestamp is not None and timestamp.tolist() == [86_401]


def test_small_counters_are_legal_timestamps() -> None:
    timestamp = code([("a", "x", 1, 0), ("a", "y", 1, 1)]).interactions.timestamp
    assert timestamp is not None and timestamp.tolist() == [0, 1]


@given(st.lists(st.tuples(st.text("aé0 ", min_size=1), st.text("xy\U0001f600", min_size=1)), min_size=1))
def test_the_ids_of_every_row_come_back(pairs: list[tuple[str, str]]) -> None:
    coded = code(list(pairs), "user_id", "item_id")
    users = coded.users.ids_of(coded.interactions.user_index).to_pylist()
    items = coded.items.ids_of(coded.interactions.item_index).to_pylist()
    assert list(zip(users, items, strict=True)) == pairs


# --- what is refused -------------------------------------------------------------------------------------------------


def test_missing_columns_are_named_with_those_that_came() -> None:
    table = pa.table({"user": ["a"], "item_id": ["x"]})
    with pytest.raises(DataError, match="user_id is missing, the columns are user, item_id"):
        code_interactions(table, "error")


def test_repeated_columns_are_named() -> None:
    table = pa.Table.from_arrays([pa.array(["a"])] * 3, names=["user_id", "item_id", "item_id"])
    with pytest.raises(DataError, match="repeated: item_id"):
        code_interactions(table, "error")


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="have no rows"):
        code([])


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("user_id", [7], "user_id must be a column of strings, but is of type int64"),
        ("rating", ["five"], "rating must be a column of numbers, but is of type string"),
        ("timestamp", ["1998"], "timestamp must be a column of seconds since 1970, but is of type string"),
        ("fold", ["training"], "fold must be one of train, valid, test in each row; it has 'training'"),
        ("fold", [None], "fold must be one of train, valid, test in each row; it has"),
        ("fold", [1], "it has int64"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused(column: str, values: list[object], message: str) -> None:
    table = pa.table({"user_id": ["a"], "item_id": ["x"], column: values})
    with pytest.raises(DataError, match=message):
        code_interactions(table, "error")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((None, "x", 1.0, 5), "1 of 3 rows of the interactions come without user_id; the first is row 2: user_id None"),
        (("", "x", 1.0, 5), "come without user_id; the first is row 2: user_id ''"),
        (("a", None, 1.0, 5), "come without item_id"),
        (("a", "y", None, 5), "without a finite rating; the first is row 2: user_id 'a', item_id 'y', rating None"),
        (("a", "y", NAN, 5), "without a finite rating; .* rating nan"),
        (("a", "y", -INFINITE, 5), "without a finite rating; .* rating -inf"),
        (("a", "y", 1e300, 5), "without a finite rating; .* rating 1e[+]300"),
        (("a", "y", 1.0, None), "come without timestamp; .* timestamp None"),
        (("a", "y", 1.0, -1), "a timestamp that is negative or later than the year 2100 .* timestamp -1"),
        (("a", "y", 1.0, 32503680000), r"later than the year 2100 \(as seconds, such a one is 3000-01-01 00:00:00\)"),
        (("a", "y", 1.0, -2208988800), "before 1970 is mostly a placeholder, such as -1 or 1900-01-01"),
        (("a", "y", 1.0, 874724710_000), "these look like milliseconds: divide by 1,000"),
        (("a", "y", 1.0, 874724710_000_000), "these look like microseconds: divide by 1,000,000"),
        (("a", "y", 1.0, 874724710_000_000_000), "these look like nanoseconds: divide by 1,000,000,000"),
    ],
)
def test_an_invalid_row_is_refused_or_dropped(row: tuple[object, ...], message: str) -> None:
    rows = [("a", "x", 1.0, 1), row, ("b", "y", 2.0, 2)]
    with pytest.raises(DataError, match=message):
        code(rows)
    with pytest.raises(DataError, match=r"set preparation\.invalid_rows=drop to leave the 1 row out"):
        code(rows)
    dropped = code(rows, invalid_rows="drop")
    assert dropped.users.ids_of(dropped.interactions.user_index).to_pylist() == ["a", "b"]
    assert dropped.interactions.timestamp is not None and dropped.interactions.timestamp.tolist() == [1, 2]
    assert dropped.rule.removed == {"interactions": 1}


@pytest.mark.parametrize("value", [NAN, INFINITE, -2.0, 1e19])
def test_floating_point_timestamps_are_checked_too(value: float) -> None:
    table = interactions_table([("a", "x"), ("a", "y")]).append_column("timestamp", pa.array([7.0, value]))
    with pytest.raises(DataError, match="1 of 2 rows of the interactions come with"):
        code_interactions(table, "error")
    timestamp = code_interactions(table, "drop").interactions.timestamp
    assert timestamp is not None and timestamp.tolist() == [7]


def test_a_row_with_two_defects_counts_once_and_both_are_told() -> None:
    rows = [("a", "x", NAN, -5), ("a", "y", 1.0, 5)]
    with pytest.raises(DataError, match=r"finite rating.*negative.*leave the 1 row out"):
        code(rows)
    assert code(rows, invalid_rows="drop").rule.removed == {"interactions": 1}


def test_a_column_of_nulls_alone_is_refused() -> None:
    table = interactions_table([("a", "x")]).append_column("rating", pa.nulls(1))
    with pytest.raises(DataError, match="1 of 1 row of the interactions come without a finite rating"):
        code_interactions(table, "error")


def test_dropping_every_row_is_refused() -> None:
    with pytest.raises(DataError, match=r"2 of 2 rows .* without a finite rating.* No valid row is left"):
        code([("a", "x", NAN, 1), ("b", "x", NAN, 2)], invalid_rows="drop")


def test_valid_rows_stay_as_they_are_when_none_is_invalid() -> None:
    assert code([("a", "x", 1.0, 1)]).rule.removed == {"interactions": 0}


def test_parts_of_a_second_come_from_their_column_or_from_the_numbers() -> None:
    table = interactions_table([("a", "x"), ("a", "y")])
    exact = table.append_column("timestamp", pa.array([7, 8])).append_column("subsecond_ns", pa.array([5, None]))
    subsecond_ns = code_interactions(exact, "error").interactions.subsecond_ns
    assert subsecond_ns is not None and subsecond_ns.tolist() == [5, 0]
    rough = code_interactions(table.append_column("timestamp", pa.array([7.5, 8.0])), "error").interactions
    assert rough.subsecond_ns is not None and rough.subsecond_ns.tolist() == [500_000_000, 0]
    whole = table.append_column("timestamp", pa.array([7, 8])).append_column("subsecond_ns", pa.array([0, 0]))
    assert code_interactions(whole, "error").interactions.subsecond_ns is None


def test_parts_of_a_second_are_less_than_one() -> None:
    table = interactions_table([("a", "x")]).append_column("timestamp", pa.array([7]))
    with pytest.raises(DataError, match="subsecond_ns must be from 0 to 999,999,999, but goes from 1,000,000,000"):
        code_interactions(table.append_column("subsecond_ns", pa.array([10**9])), "error")


@pytest.mark.parametrize("weight", [None, NAN, INFINITE])
def test_a_weight_must_be_finite(weight: float | None) -> None:
    rows = [("a", "x", -2.0), ("a", "y", weight)]
    table = interactions_table(rows, ("user_id", "item_id", "weight"))
    with pytest.raises(DataError, match="1 of 2 rows of the interactions come without a finite weight; the first is"):
        code_interactions(table, "error")
    kept = code_interactions(table, "drop").interactions.weight
    assert kept is not None and kept.tolist() == [-2]  # a return
