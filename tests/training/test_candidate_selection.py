import pytest
import torch

from recsys.errors import RecsysError
from recsys.models.components.source_scores import SourceScores
from recsys.training.candidate_selection import RetrievedCandidates, UniformCandidates


def asked(num_users: int = 1, num_items: int = 10) -> SourceScores:
    """Scores fall with the item; items 0 and 1 are seen."""
    scores = -torch.arange(float(num_items)).expand(num_users, 1, num_items)
    unseen = torch.ones(num_users, num_items, dtype=torch.bool)
    unseen[:, :2] = False
    return SourceScores.of(scores, unseen)


def held_out(*items: int, num_users: int = 1, num_items: int = 10) -> torch.Tensor:
    relevant = torch.zeros(num_users, num_items, dtype=torch.bool)
    relevant[:, list(items)] = True
    return relevant


def test_what_is_retrieved_is_a_candidate_whether_held_out_or_not():
    chosen = RetrievedCandidates(3)(asked(), held_out(3, 9), torch.Generator())
    assert chosen[0].nonzero()[:, 0].tolist() == [2, 3, 4]


def test_uniform_candidates_are_all_that_was_held_out_and_some_others():
    generator = torch.Generator().manual_seed(0)
    chosen = UniformCandidates(2)(asked(500), held_out(3, 9, num_users=500), generator)
    assert chosen[:, [3, 9]].all()
    assert not chosen[:, :2].any()
    assert (chosen.sum(1) == 4).all()
    # Two of the six others, each as often: 500 / 3 times, give or take.
    others = chosen.sum(0)[[2, 4, 5, 6, 7, 8]]
    assert (others > 120).all()
    assert (others < 220).all()


def test_there_are_no_more_negatives_than_new_items():
    chosen = UniformCandidates(100)(asked(), held_out(3), torch.Generator().manual_seed(0))
    assert chosen[0].nonzero()[:, 0].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]


def test_no_candidates_are_refused():
    with pytest.raises(RecsysError, match=r"candidate_selector\.num_candidates must be at least 1"):
        RetrievedCandidates(0)
    with pytest.raises(RecsysError, match=r"candidate_selector\.num_negatives must be at least 1"):
        UniformCandidates(0)
