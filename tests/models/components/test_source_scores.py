import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.components.source_scores import SourceScores, gather_items

NAN = torch.nan


def source_scores(scores: list, unseen: list) -> SourceScores:
    """One user."""
    return SourceScores.of(torch.tensor([scores], dtype=torch.float32), torch.tensor([unseen]))


def test_standardises_over_what_is_new_to_the_user():
    # Items 1 to 3 are new: mean 2, deviation sqrt(2/3); item 0 is put on the same scale.
    given = source_scores([[11.0, 1.0, 2.0, 3.0]], [False, True, True, True]).scores[0, 0]
    assert given.tolist() == pytest.approx([9 * math.sqrt(1.5), -math.sqrt(1.5), 0, math.sqrt(1.5)], rel=1e-5)


def test_says_how_other_scores_come_to_the_same_scale():
    scores = torch.tensor([[[11.0, 1.0, 2.0, 3.0]]])
    given, mean, scale = SourceScores.with_scale(scores, torch.tensor([[False, True, True, True]]))
    assert mean.item() == pytest.approx(2) and scale.item() == pytest.approx(math.sqrt(1.5), rel=1e-5)
    torch.testing.assert_close((scores - mean) * scale, given.scores)


def test_no_opinion_is_zero_and_does_not_count_in_the_mean():
    found = source_scores([[NAN, 1.0, 3.0]], [True, True, True])
    assert found.scores[0, 0].tolist() == pytest.approx([0, -1, 1])
    assert found.given[0, 0].tolist() == [False, True, True]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_model_that_scores_all_alike_says_nothing(value):
    assert source_scores([[value] * 7], [True] * 7).scores.abs().max() == 0


@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_scale_and_shift_of_a_model_do_not_matter(scale, shift):
    scores = torch.tensor([[[1.0, 4.0, 2.0, -3.0]]])
    unseen = torch.tensor([[True, True, False, True]])
    moved = SourceScores.of(scores * scale + shift, unseen)
    torch.testing.assert_close(moved.scores, SourceScores.of(scores, unseen).scores, rtol=1e-2, atol=1e-2)


def test_ranks_fall_by_the_logarithm_and_ties_share_one():
    ranks = source_scores([[5.0, 9.0, 5.0, 1.0]], [True] * 4).ranks()[0, 0]
    # Places 1, 0, 1 and 3 of 4 items.
    expected = [1 - math.log(2) / math.log(5), 1, 1 - math.log(2) / math.log(5), 1 - math.log(4) / math.log(5)]
    assert ranks.tolist() == pytest.approx(expected, rel=1e-5)


def test_seen_items_take_no_place_and_no_opinion_is_last():
    ranks = source_scores([[9.0, 5.0, NAN, 4.0]], [False, True, True, True]).ranks()[0, 0]
    assert ranks[1] == 1
    assert ranks[3] == pytest.approx(1 - math.log(2) / math.log(5), rel=1e-5)
    assert ranks[2] == ranks.min()


def test_retrieves_the_best_unseen_items_of_each_model():
    found = source_scores([[9.0, 5.0, 4.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0, NAN]], [False, True, True, True, True])
    assert found.retrieved(1)[0].tolist() == [False, True, False, True, False]
    assert found.retrieved(2)[0].tolist() == [False, True, True, True, False]
    # Never what is seen, and what one model has no opinion on is retrieved by the other alone.
    assert found.retrieved(9)[0].tolist() == [False, True, True, True, True]


def test_gathers_by_item():
    values = torch.arange(12.0).view(2, 2, 3)
    assert gather_items(values, torch.tensor([[2, 0], [1, 1]])).tolist() == [[[2, 5], [0, 3]], [[7, 10], [7, 10]]]


def test_what_rounding_leaves_beside_a_large_score_is_no_difference():
    scores = torch.tensor([[[0.9, 1e-9, -2e-9, 3e-9]]])
    unseen = torch.tensor([[False, True, True, True]])
    standardised = SourceScores.of(scores, unseen).scores[0, 0]
    assert standardised[1:].tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert standardised[0] == pytest.approx(
        2
    )  # .9 from the mean of the unseen, which is 0; the root mean square is .45
