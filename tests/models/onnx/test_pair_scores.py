import torch
from torch import Tensor, nn

from recsys.models.onnx.pair_scores import CandidatePairs, CataloguePairs
from tests.models.onnx.model_queries import asked


class TenUsers(nn.Module):
    """Ten times the user plus the item."""

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        assert (users >= 0).all() and (items >= 0).all(), "no network knows index -1"
        return 10.0 * users + items


def test_candidates_are_scored_for_their_own_users():
    scores = CandidatePairs(TenUsers())(asked([], [], users=[2, 1]), torch.tensor([[3, 0], [1, 1]]))
    assert scores.tolist() == [[23.0, 20.0], [11.0, 11.0]]


def test_unknown_users_have_no_scores():
    scores = CandidatePairs(TenUsers())(asked([4], [], users=[-1, 1]), torch.tensor([[3], [3]]))
    assert scores.isnan().tolist() == [[True], [False]]


def test_no_candidate_is_no_error():
    assert CandidatePairs(TenUsers())(asked([], users=[1]), torch.tensor([[-1, 2]]))[0, 1] == 12.0


def test_the_catalogue_is_scored_in_its_order():
    scores = CataloguePairs(TenUsers(), num_items=3)(asked([], [], users=[1, -1]))
    assert scores[0].tolist() == [10.0, 11.0, 12.0]
    assert scores[1].isnan().all()


def test_the_places_of_the_catalogue_are_no_weights():
    assert list(CataloguePairs(TenUsers(), num_items=3).state_dict()) == []
