import numpy as np

from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.sampled_explanation import SampledExplainer
from tests.retrieval.made import TableRanker

HISTORY = RaggedItems.of([[3, 1], [], [2]])


def explanation():
    contributions = np.array([[1.0, np.nan], [2.0, np.nan], [0.5, -1.0]], dtype=np.float32)
    rest = np.array([[0.0, np.nan], [4.0, 5.0], [1.0, 1.0]], dtype=np.float32)
    return BatchExplanation.exact(HISTORY, contributions, rest)


def test_scores_are_sums_of_contributions_and_rest():
    assert np.nan_to_num(explanation().scores, nan=-9).tolist() == [[3, -9], [4, 5], [1.5, 0]]


def test_exact_contributions_have_no_errors_and_no_groups():
    assert explanation().errors is None
    assert explanation().num_grouped.tolist() == [0, 0, 0]


def test_one_request_alone():
    first, second, third = (explanation().one(row) for row in range(3))
    assert first.history.items.tolist() == [3, 1] and first.contributions[:, 0].tolist() == [1, 2]
    assert second.contributions.shape == (0, 2) and second.rest.tolist() == [[4, 5]]
    assert third.scores.tolist() == [[1.5, 0]]


def test_errors_and_groups_come_with_their_request():
    whole = explanation()
    sampled = BatchExplanation(
        HISTORY, whole.contributions, whole.rest, np.abs(whole.contributions), np.array([1, 0, 0])
    )
    assert sampled.one(2).errors.tolist() == [[0.5, 1.0]]
    assert [sampled.one(row).num_grouped.tolist() for row in range(2)] == [[1], [0]]


def test_what_samples_is_an_explainer():
    assert isinstance(SampledExplainer(TableRanker([[1.0]]), 1, "Table"), BatchExplainer)
