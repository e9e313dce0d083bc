import math

import pytest
import torch

from recsys.errors import ModelError
from recsys.models.components.weightings import BM25, TFIDF, Unweighted
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from tests.models.small_data import histories_of

# 4 rows, column 0 in all, column 1 in one, column 2 in none; 5 values, 1.25 a row
MATRIX = InteractionMatrix.from_histories(histories_of([0], [0], [0, 1], [0]), 3)


def weighted(weighting):
    return weighting.weigh(MATRIX, MATRIX.column_counts(), len(MATRIX))


def test_without_weighting_nothing_changes():
    assert weighted(Unweighted()).dense().equal(MATRIX.dense())


def test_tf_idf_weighs_by_rarity_and_never_below_zero():
    # log(4 / (1 + 4)) is negative; log(4 / (1 + 1))
    assert weighted(TFIDF()).dense()[2].tolist() == pytest.approx([0, math.log(2), 0])


def test_bm25_counts_long_rows_less():
    # 1 * (1.2 + 1) / (1.2 * (0.25 + 0.75 * 2 / 1.25) + 1) * log 2
    expected = 2.2 / (1.2 * (0.25 + 0.75 * 1.6) + 1) * math.log(2)
    assert weighted(BM25()).dense()[2].tolist() == pytest.approx([0, expected, 0])


def test_bm25_saturates_and_keeps_signs():
    large = MATRIX.with_values(MATRIX.values * torch.tensor([1, 1, 1, -1000, 1]))
    value = BM25().weigh(large, MATRIX.column_counts(), 4).dense()[2, 1]
    assert value == pytest.approx(-2.2 * math.log(2), rel=0.01)


def test_rows_outside_the_collection_are_weighed_by_its_counts():
    query = InteractionMatrix.from_histories(histories_of([1]), 3)
    assert TFIDF().weigh(query, MATRIX.column_counts(), 4).values.tolist() == pytest.approx([math.log(2)])


@pytest.mark.parametrize("weighting", [TFIDF(), BM25()])
def test_of_nothing(weighting):
    empty = InteractionMatrix.from_histories(histories_of([], []), 3)
    assert weighting.weigh(empty, empty.column_counts(), 2).dense().equal(torch.zeros(2, 3))


@pytest.mark.parametrize("settings", [{"k1": 0.0}, {"b": 1.5}, {"b": -0.1}])
def test_refuses_settings_out_of_range(settings):
    with pytest.raises(ModelError, match="k1 above 0 and b from 0 to 1"):
        BM25(**settings)
