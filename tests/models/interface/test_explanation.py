import torch

from recsys.data.histories import Histories
from recsys.models.interface.explanation import Explanation, rows_of, shares_of_interactions
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from tests.models.small_data import histories_of

HISTORIES = histories_of([2, 0, 2], [], [1])


def explanation():
    parts = torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    rest = torch.tensor([[0.5, 0.0], [torch.nan, 7.0], [0.0, 1.0]])
    return Explanation(HISTORIES, parts, rest)


def test_rows_of_interactions():
    assert rows_of(HISTORIES).tolist() == [0, 0, 0, 2]


def test_scores_are_parts_and_rest_of_each_row():
    scores = explanation().scores
    assert scores[0].tolist() == [6.5, 60.0]
    assert scores[1].isnan().tolist() == [True, False]
    assert scores[1, 1] == 7  # nothing but the rest
    assert scores[2].tolist() == [4.0, 41.0]


def test_one_row_alone():
    one = explanation().one(0)
    assert one.histories.items.tolist() == [2, 0, 2]
    assert one.contributions.tolist() == [[1, 10], [2, 20], [3, 30]]
    assert one.scores.tolist() == [[6.5, 60.0]]
    assert explanation().one(1).contributions.shape == (0, 2)


def test_interactions_with_one_item_share_its_value():
    # item 2 of the first row keeps its largest weight, 0.8, of which each of its two interactions has half
    matrix = InteractionMatrix.from_histories(HISTORIES, 3, torch.tensor([0.2, 0.5, 0.8, 0.3]))
    torch.testing.assert_close(shares_of_interactions(HISTORIES, matrix), torch.tensor([0.4, 0.5, 0.4, 0.3]))


def test_no_interactions_have_no_shares():
    nobody = Histories(torch.zeros(3, dtype=torch.int64), HISTORIES.items[:0], None, None)
    assert shares_of_interactions(nobody, InteractionMatrix.from_histories(nobody, 3)).shape == (0,)
