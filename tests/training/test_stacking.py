import copy
from functools import partial

import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.data.interactions import IntArray, Interactions
from recsys.errors import RecsysError
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.models.hybrid import Hybrid
from recsys.models.interface.protocols import Query
from recsys.models.layers.ranker_networks import LinearBlend
from recsys.training.candidate_selection import RetrievedCandidates, UniformCandidates
from recsys.training.stacking import CandidateLists, stack
from recsys.training.stacking_folds import RandomFolds
from tests.models.small_data import small_data


class Fitter:
    """Fits sources on what is left to them, and remembers it."""

    def __init__(self, data: Interactions) -> None:
        self.data = data
        self.given: dict[str, set[tuple[int, int]]] = {}

    def __call__(self, sources: dict[str, torch.nn.Module], held_out: IntArray, place: str) -> None:
        rest = self.data.take(np.setdiff1d(np.arange(len(self.data)), held_out))
        self.given[place] = pairs_of(rest)
        for source in sources.values():
            source.fit(rest)


def pairs_of(data: Interactions) -> set[tuple[int, int]]:
    return set(zip(data.user_index.tolist(), data.item_index.tolist(), strict=True))


def model() -> Hybrid:
    return Hybrid(30, 12, {"ease": partial(EASE, recency=Recency(), l2=5.0)}, LinearBlend)


def vstack(candidates=None, folds=None, seed=0) -> tuple[CandidateLists, Fitter]:
    data = small_data()
    fitter = Fitter(data)
    lists = stack(
        model(),
        data,
        folds or RandomFolds(4, 1),
        candidates or UniformCandidates(4),
        fitter,
        torch.device("cpu"),
        seed,
    )
    return lists, fitter


def labels(lists: CandidateLists) -> set[tuple[int, int]]:
    rows, columns = lists.relevant.nonzero(as_tuple=True)
    return set(zip(lists.users[rows].tolist(), lists.items[rows, columns].tolist(), strict=True))


def test_no_source_has_seen_its_labels():
    lists, fitter = vstack()
    assert labels(lists)
    assert labels(lists) == pairs_of(small_data()) - fitter.given["fold_0"] - without_negatives(lists)


def without_negatives(lists: CandidateLists) -> set[tuple[int, int]]:
    """Held-out pairs of users who are in no list, as nothing is left to compare with or to know them by."""
    present = set(lists.users.tolist())
    held_out = small_data().take(RandomFolds(4, 1)(small_data())[0])
    return {pair for pair in pairs_of(held_out) if pair[0] not in present}


def test_no_candidate_is_what_the_sources_have_seen():
    lists, fitter = vstack()
    rows, columns = lists.present.nonzero(as_tuple=True)
    shown = set(zip(lists.users[rows].tolist(), lists.items[rows, columns].tolist(), strict=True))
    assert not shown & fitter.given["fold_0"]


def test_features_are_those_of_sources_without_the_fold():
    data = small_data()
    lists, _ = vstack()
    held_out = RandomFolds(4, 1)(data)[0]
    rest = data.take(np.setdiff1d(np.arange(len(data)), held_out))
    alone = copy.deepcopy(model())
    alone.sources["ease"].fit(rest)
    alone.observe_training(rest)
    query = Query(lists.users, Histories.from_interactions(rest).take(lists.users))
    expected = alone.candidate_features(query, alone.score_sources(query), lists.items)
    torch.testing.assert_close(lists.described[lists.present], expected[lists.present], rtol=1e-4, atol=1e-5)


def test_every_list_has_something_to_find_and_something_else():
    for candidates in (UniformCandidates(4), RetrievedCandidates(3)):
        lists, _ = vstack(candidates)
        assert len(lists) > 10
        assert lists.relevant.any(1).all()
        assert (lists.present & ~lists.relevant).any(1).all()
        assert not (lists.relevant & ~lists.present).any()


def test_lists_of_several_folds_are_joined():
    lists, fitter = vstack(folds=RandomFolds(4, 3))
    assert set(fitter.given) == {"fold_0", "fold_1", "fold_2"}
    single, _ = vstack()
    assert len(lists) > 2 * len(single)
    count = len(single)
    width = single.items.shape[1]
    assert lists.items[:count, :width].equal(single.items)
    assert not lists.present[:count, width:].any()


def test_the_model_itself_is_left_alone():
    original = model()
    before = {name: value.clone() for name, value in original.state_dict().items()}
    data = small_data()
    stack(original, data, RandomFolds(4, 1), UniformCandidates(4), Fitter(data), torch.device("cpu"), 0)
    assert all(original.state_dict()[name].equal(value) for name, value in before.items())


def test_the_seed_decides_which_candidates():
    first, again, other = (vstack(seed=seed)[0] for seed in (1, 1, 2))
    assert first.items.equal(again.items)
    assert first.items.shape != other.items.shape or not first.items.equal(other.items)


def test_no_list_at_all_is_an_error():
    data = small_data()
    nobody = data.take(np.empty(0, dtype=np.int64))
    with pytest.raises(RecsysError, match="there is no such list"):
        stack(model(), nobody, RandomFolds(4, 1), UniformCandidates(4), lambda *_: None, torch.device("cpu"), 0)
