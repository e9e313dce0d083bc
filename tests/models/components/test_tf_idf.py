import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.components.tf_idf import choose_columns, tf_idf

COLUMNS = (
    FeatureColumn("genres", FeatureKind.MULTI_VALUED),
    FeatureColumn("studio", FeatureKind.CATEGORICAL),
    FeatureColumn("title", FeatureKind.TEXT),
    FeatureColumn("year", FeatureKind.NUMBER),
)


def features(genres, studio, title) -> FeatureTable:
    table = pa.table(
        {
            "genres": pa.array(genres, pa.list_(pa.string())),
            "studio": pa.array(studio, pa.string()),
            "title": pa.array(title, pa.string()),
            "year": pa.array([1990] * len(genres), pa.int64()),
        }
    )
    return FeatureTable.from_table(table, COLUMNS, min_document_frequency=1)


def slow_tf_idf(columns: list[tuple[list[list[str]], float]]) -> np.ndarray:
    """The formula item by item and word by word, in NumPy; ``columns``: the words of each item, and the weight."""
    num_items = len(columns[0][0])
    parts = []
    for words_of_items, weight in columns:
        vocabulary = sorted({word for words in words_of_items for word in words})
        part = np.zeros((num_items, len(vocabulary)))
        for item, words in enumerate(words_of_items):
            for column, word in enumerate(vocabulary):
                if word in words:
                    frequency = sum(word in others for others in words_of_items)
                    times = words.count(word)
                    part[item, column] = (1 + math.log(times)) * (1 + math.log((1 + num_items) / (1 + frequency)))
            length = math.sqrt((part[item] ** 2).sum())
            if length > 0:
                part[item] *= math.sqrt(weight) / length
        parts.append(part)
    whole = np.concatenate(parts, axis=1)
    lengths = np.sqrt((whole**2).sum(axis=1, keepdims=True))
    return np.divide(whole, lengths, out=np.zeros_like(whole), where=lengths > 0)


def test_rare_and_repeated_words_count_more():
    table = features([["a", "b", "b"], ["a"], None], [None] * 3, [None] * 3)
    # N = 3; a: 1 + ln(4 / 3) = 1.287682; b: (1 + ln 2) * (1 + ln(4 / 2)) = 1.693147 ** 2 = 2.866748
    # length: sqrt(1.287682 ** 2 + 2.866748 ** 2) = 3.142669
    expected = torch.tensor([[0.409741, 0.912202], [1, 0], [0, 0]])
    torch.testing.assert_close(tf_idf(table, {"genres": 1.0}).dense(), expected, rtol=0, atol=1e-6)


def test_the_cosine_of_two_items_is_the_weighted_mean_of_the_cosines_in_each_column():
    table = features([["a"], ["a"], ["b"]], ["x", "y", "y"], [None] * 3)
    vectors = tf_idf(table, {"genres": 3.0, "studio": 1.0}).dense()
    # items 0 and 1 share their genre alone, items 1 and 2 their studio alone
    torch.testing.assert_close(vectors @ vectors.T, torch.tensor([[1, 0.75, 0], [0.75, 1, 0.25], [0, 0.25, 1]]))


def test_a_column_that_an_item_lacks_leaves_the_others_their_whole_weight():
    vectors = tf_idf(features([["a"], ["a"]], ["x", None], [None] * 2), {"genres": 1.0, "studio": 1.0}).dense()
    torch.testing.assert_close(vectors[1], torch.tensor([1.0, 0.0]))


def test_words_of_two_columns_are_different_words():
    vectors = tf_idf(features([["war"], None], [None] * 2, [None, "war"]), {"genres": 1.0, "title": 1.0}).dense()
    assert vectors.tolist() == [[1, 0], [0, 1]]


WORDS = st.lists(st.lists(st.sampled_from("abcd"), max_size=5), min_size=1, max_size=6)


@given(WORDS, st.lists(st.sampled_from(["x", "y", None]), min_size=6, max_size=6), st.floats(0.1, 10))
def test_agrees_with_the_formula_written_out(words, studios, weight):
    studios = studios[: len(words)]
    table = features(words, studios, [" ".join(row) for row in words])
    weights = {"title": weight, "genres": 1.0, "studio": 0.5}
    expected = slow_tf_idf([(words, weight), (words, 1.0), ([[s] if s else [] for s in studios], 0.5)])
    matrix = tf_idf(table, weights)
    np.testing.assert_allclose(matrix.dense().numpy(), expected, atol=1e-6)
    for row in range(len(matrix)):
        own = matrix.slice(row, row + 1).columns
        assert (own.diff() > 0).all()


def test_all_columns_but_numbers_count_alike_where_nothing_is_chosen():
    assert choose_columns(features([["a"]], ["x"], ["t"]), None) == {"genres": 1.0, "studio": 1.0, "title": 1.0}


@pytest.mark.parametrize("weights", [{"year": 1.0}, {"director": 1.0}, {}])
def test_only_columns_with_words_can_be_chosen(weights):
    with pytest.raises(ModelError, match=r"which are genres, studio, title, but it names (year|director|none)"):
        choose_columns(features([["a"]], ["x"], ["t"]), weights)


def test_weights_are_positive():
    with pytest.raises(ModelError, match=r"must be above 0, but they are \{'title': 0\.0\}"):
        choose_columns(features([["a"]], ["x"], ["t"]), {"genres": 1.0, "title": 0.0})


def test_data_without_content_are_refused_with_what_to_declare():
    none = FeatureTable.from_table(pa.table({"year": [1, 2]}), ())
    with pytest.raises(ModelError, match=r"these data declare none\. Declare what there is.*item_features="):
        choose_columns(none, None)
    numbers = FeatureTable.from_table(pa.table({"year": [1, 2]}), (FeatureColumn("year", FeatureKind.NUMBER),))
    with pytest.raises(ModelError, match=r"declare none \(year: numbers have no words\)"):
        choose_columns(numbers, None)
