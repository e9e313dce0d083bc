from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import DataError, PreparedDataError

COLOUR = FeatureColumn("colour", FeatureKind.CATEGORICAL)
GENRES = FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|")
TAGS = FeatureColumn("tags", FeatureKind.MULTI_VALUED)
YEAR = FeatureColumn("year", FeatureKind.NUMBER)
TITLE = FeatureColumn("title", FeatureKind.TEXT)
ALL = (COLOUR, GENRES, TAGS, YEAR, TITLE)

TABLE = pa.table(
    {
        "colour": ["red", None, "blue", "", "red"],
        "genres": ["War|Drama", "", None, " Drama |", "Comedy"],
        "tags": pa.array([["b", "a", "b"], [], None, ["a", None], ["ü"]], pa.list_(pa.string())),
        "year": [1990, None, 1994, 1992, 1992],
        "title": ["The Cat, the Hat", "CAT people", None, "Über-cat!", "hat"],
    }
)


def categorical(table: pa.Table, column: FeatureColumn = COLOUR) -> CategoricalFeature:
    feature = FeatureTable.from_table(table, (column,))[column.name]
    assert isinstance(feature, CategoricalFeature)
    return feature


def rows_of(feature: object) -> list[list[str]]:
    """Each row's values as text."""
    assert isinstance(feature, RaggedFeature)
    values = [feature.vocabulary[code - 1] for code in feature.codes.tolist()]
    bounds = feature.offsets.tolist()
    return [values[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]


# --- categorical -----------------------------------------------------------------------------------------------------


def test_categories_count_from_one_and_zero_is_missing() -> None:
    feature = categorical(TABLE)
    assert feature.vocabulary == ("blue", "red")
    assert feature.codes.tolist() == [2, 0, 1, 0, 2]
    assert feature.codes.dtype == torch.int64
    assert feature.num_codes == 3


@pytest.mark.parametrize(
    ("values", "vocabulary", "codes"),
    [
        (pa.array([18, 3, None]), ("18", "3"), [1, 2, 0]),
        (pa.array([True, None, False]), ("false", "true"), [2, 0, 1]),
        (pa.array([1.5, float("nan"), None]), ("1.5",), [1, 0, 0]),
        (pa.array(["b", None, "a"]).dictionary_encode(), ("a", "b"), [2, 0, 1]),
        (pa.array(["007", "7", "007"], pa.large_string()), ("007", "7"), [1, 2, 1]),
        (pa.nulls(3), (), [0, 0, 0]),
    ],
    ids=["integers", "booleans", "floats", "dictionary", "large strings", "nulls"],
)
def test_categories_of_any_simple_type(values: pa.Array, vocabulary: tuple[str, ...], codes: list[int]) -> None:
    feature = categorical(pa.table({"colour": values}))
    assert (feature.vocabulary, feature.codes.tolist()) == (vocabulary, codes)


# --- multi-valued and text -------------------------------------------------------------------------------------------


def test_separated_strings_are_split_and_trimmed() -> None:
    feature = FeatureTable.from_table(TABLE, (GENRES,))["genres"]
    assert isinstance(feature, RaggedFeature)
    assert feature.vocabulary == ("Comedy", "Drama", "War")
    assert feature.offsets.tolist() == [0, 2, 2, 2, 3, 4]
    assert feature.codes.tolist() == [3, 2, 2, 1]
    assert feature.offsets.dtype == feature.codes.dtype == torch.int64


def test_a_separator_is_taken_literally() -> None:
    table = pa.table({"genres": ["a.b", "a|b"]})
    feature = FeatureTable.from_table(table, (FeatureColumn("genres", FeatureKind.MULTI_VALUED, "."),))["genres"]
    assert rows_of(feature) == [["a", "b"], ["a|b"]]


@pytest.mark.parametrize("type_", [pa.list_(pa.string()), pa.large_list(pa.large_string())])
def test_lists_keep_their_order_and_lose_nulls(type_: pa.DataType) -> None:
    table = TABLE.set_column(2, "tags", TABLE.column("tags").cast(type_))
    assert rows_of(FeatureTable.from_table(table, (TAGS,))["tags"]) == [["b", "a", "b"], [], [], ["a"], ["ü"]]


def test_a_column_of_nulls_has_no_values() -> None:
    feature = FeatureTable.from_table(pa.table({"tags": pa.nulls(2)}), (TAGS,))["tags"]
    assert rows_of(feature) == [[], []]
    assert isinstance(feature, RaggedFeature) and feature.num_codes == 1


def test_lists_of_numbers_are_values_too() -> None:
    table = pa.table({"tags": [[10, 9], [9]]})
    feature = FeatureTable.from_table(table, (TAGS,))["tags"]
    assert rows_of(feature) == [["10", "9"], ["9"]]
    pairs = pa.table({"tags": pa.array([[1, 2], [2, 3]], pa.list_(pa.int8(), 2))})
    assert rows_of(FeatureTable.from_table(pairs, (TAGS,))["tags"]) == [["1", "2"], ["2", "3"]]


def test_words_are_lower_case_and_without_punctuation() -> None:
    # "the" occurs twice in one row, so in one document; "people" and "über" occur in one.
    features = FeatureTable.from_table(TABLE, (TITLE,), min_document_frequency=1)
    assert rows_of(features["title"]) == [["the", "cat", "the", "hat"], ["cat", "people"], [], ["über", "cat"], ["hat"]]


def test_rare_words_are_left_out() -> None:
    features = FeatureTable.from_table(TABLE, (TITLE,))  # at least two documents
    assert rows_of(features["title"]) == [["cat", "hat"], ["cat"], [], ["cat"], ["hat"]]


def test_the_vocabulary_of_words_is_bounded_by_document_frequency_then_unicode_order() -> None:
    # Documents: cat 3, hat 2, people 1, the 1, über 1. Of the last three "people" comes first.
    features = FeatureTable.from_table(TABLE, (TITLE,), min_document_frequency=1, max_words=3)
    title = features["title"]
    assert isinstance(title, RaggedFeature)
    assert title.vocabulary == ("cat", "hat", "people")


def test_words_of_any_script_are_normalised() -> None:
    table = pa.table({"title": ["Amélie", "ame\u0301lie", "ДЕНЬ día", "हिन्दी", "ﬁn", "...", "東京物語"]})
    features = FeatureTable.from_table(table, (TITLE,), min_document_frequency=1)
    assert rows_of(features["title"]) == [["amélie"], ["amélie"], ["день", "día"], ["हिन्दी"], ["fin"], [], ["東京物語"]]


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_numbers_are_standardised_and_missing_ones_stand_at_the_mean() -> None:
    # Mean 1992; deviations -2, 2, 0, 0; variance (4 + 4) / 4 = 2.
    feature = FeatureTable.from_table(TABLE, (YEAR,))["year"]
    assert isinstance(feature, NumberFeature)
    root = 2**0.5
    assert feature.values.tolist() == pytest.approx([-root, 0, root, 0, 0])
    assert feature.values.dtype == torch.float32
    assert feature.missing.tolist() == [False, True, False, False, False]


def test_infinite_numbers_are_missing_and_constants_are_centred() -> None:
    table = pa.table({"year": [7.0, float("inf"), 7.0, float("nan")]})
    feature = FeatureTable.from_table(table, (YEAR,))["year"]
    assert isinstance(feature, NumberFeature)
    assert feature.values.tolist() == [0, 0, 0, 0]
    assert feature.missing.tolist() == [False, True, False, True]


def test_a_column_without_any_number_is_all_missing() -> None:
    feature = FeatureTable.from_table(pa.table({"year": pa.nulls(2)}), (YEAR,))["year"]
    assert isinstance(feature, NumberFeature)
    assert feature.missing.tolist() == [True, True] and feature.values.tolist() == [0, 0]


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1))
def test_numbers_agree_with_numpy(numbers: list[float | None]) -> None:
    feature = FeatureTable.from_table(pa.table({"year": pa.array(numbers, pa.float64())}), (YEAR,))["year"]
    assert isinstance(feature, NumberFeature)
    given_ones = np.array([number for number in numbers if number is not None])
    known = feature.values[~feature.missing].numpy()
    assert len(known) == len(given_ones)
    if len(given_ones) and given_ones.std() > 1e-3:
        np.testing.assert_allclose(known, (given_ones - given_ones.mean()) / given_ones.std(), rtol=1e-4, atol=1e-4)


# --- the table -------------------------------------------------------------------------------------------------------


def test_multi_hot_marks_each_value_once() -> None:
    features = FeatureTable.from_table(TABLE, ALL, min_document_frequency=1)
    assert features.multi_hot("colour").tolist() == [[0, 1], [0, 0], [1, 0], [0, 0], [0, 1]]
    assert features.multi_hot("tags").tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert features.multi_hot("title").dtype == torch.float32
    assert features.multi_hot("title").shape == (5, 5)
    with pytest.raises(DataError, match="feature year is a number and has no vocabulary"):
        features.multi_hot("year")


def test_new_rows_are_encoded_with_the_same_vocabularies() -> None:
    features = FeatureTable.from_table(TABLE, ALL)
    new = pa.table(
        {
            "title": ["Hat of unseen words", None],
            "colour": ["green", "blue"],
            "genres": ["Western|War", None],
            "tags": [["a", "unseen"], None],
            "year": [1994.0, None],
        }
    )
    encoded = features.encode(new)
    assert len(encoded) == 2
    colour, year = encoded["colour"], encoded["year"]
    assert isinstance(colour, CategoricalFeature) and isinstance(year, NumberFeature)
    assert colour.codes.tolist() == [0, 1]
    assert rows_of(encoded["genres"]) == [["War"], []]
    assert rows_of(encoded["tags"]) == [["a"], []]
    assert rows_of(encoded["title"]) == [["hat"], []]
    assert year.values.tolist() == pytest.approx([2**0.5, 0])
    with pytest.raises(DataError, match="feature colour needs a column of that name; the columns are year"):
        features.encode(pa.table({"year": [1]}))


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=4), min_size=1, max_size=8))
def test_encoding_the_same_rows_again_changes_nothing(lists: list[list[str]]) -> None:
    table = pa.table({"tags": pa.array(lists, pa.list_(pa.string()))})
    features = FeatureTable.from_table(table, (TAGS,))
    assert rows_of(features["tags"]) == rows_of(features.encode(table)["tags"]) == lists


def test_no_rows_and_no_columns_are_legal() -> None:
    empty = FeatureTable.from_table(TABLE.slice(0, 0), ALL)
    assert len(empty) == 0
    assert empty.multi_hot("genres").shape == (0, 0)
    assert len(FeatureTable.from_table(TABLE, ())) == 5


def test_an_unknown_feature_is_told() -> None:
    with pytest.raises(DataError, match="There is no feature 'plot'; the features are colour"):
        FeatureTable.from_table(TABLE, (COLOUR,))["plot"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (FeatureColumn("plot", FeatureKind.TEXT), "feature plot needs a column of that name"),
        (FeatureColumn("tags", FeatureKind.CATEGORICAL), "declared categorical, which needs strings, numbers or boo"),
        (FeatureColumn("genres", FeatureKind.MULTI_VALUED), "needs lists of strings or numbers, but .* type string"),
        (FeatureColumn("tags", FeatureKind.MULTI_VALUED, "|"), "needs strings to separate, but .* type list"),
        (
            FeatureColumn("title", FeatureKind.NUMBER),
            "declared number, which needs numbers or dates, but .* type string",
        ),
        (FeatureColumn("year", FeatureKind.TEXT), "declared text, which needs strings, but .* type int64"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused(column: FeatureColumn, message: str) -> None:
    with pytest.raises(DataError, match=message):
        FeatureTable.from_table(TABLE, (column,))


def test_every_tensor_goes_to_the_device() -> None:
    moved = FeatureTable.from_table(TABLE, ALL).to("meta")
    for feature in moved.features.values():
        tensors = [
            getattr(feature, name) for name in ("codes", "offsets", "values", "missing") if hasattr(feature, name)
        ]
        assert tensors and all(tensor.device.type == "meta" for tensor in tensors)


# --- files -----------------------------------------------------------------------------------------------------------


def test_saved_features_are_loaded_as_they_were(tmp_path: Path) -> None:
    features = FeatureTable.from_table(TABLE, ALL)
    features.save(tmp_path / "items.safetensors")
    loaded = FeatureTable.load(tmp_path / "items.safetensors")
    assert loaded.columns == features.columns and loaded.encoders == features.encoders and len(loaded) == 5
    for name, feature in features.features.items():
        other = loaded[name]
        assert type(other) is type(feature)
        for part in ("codes", "offsets", "values", "missing"):
            if hasattr(feature, part):
                assert torch.equal(getattr(other, part), getattr(feature, part))
    assert rows_of(loaded.encode(TABLE)["title"]) == rows_of(features["title"])


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_missing_or_damaged_file_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "items.safetensors").write_bytes(content)
    with pytest.raises(PreparedDataError, match=r"items\.safetensors is no readable file of features"):
        FeatureTable.load(tmp_path / "items.safetensors")
