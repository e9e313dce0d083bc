import copy

import pytest
import torch
from torch import nn

from recsys.errors import ModelError
from recsys.export.onnx_export import export_encoder, export_ranker
from recsys.models.interface import pair_recommender
from recsys.models.interface.pair_recommender import PairRecommender, as_recommender
from recsys.models.interface.protocols import Query, ScoresPairs, ScoringModel
from recsys.models.mf import MF
from recsys.models.onnx.exportable import Exportable
from recsys.runtime.onnx_inputs import CANDIDATES
from tests.models.onnx.model_queries import run, served
from tests.models.small_data import histories_of

NUM_USERS, NUM_ITEMS = 4, 6


class Distances(nn.Module):
    """Scores pairs alone."""

    def __init__(self):
        super().__init__()
        self.users, self.items = nn.Embedding(NUM_USERS, 3), nn.Embedding(NUM_ITEMS, 3)

    def score_pairs(self, users, items):
        return -(self.users(users) - self.items(items)).square().sum(-1)


class Penalised(Distances):
    def squared_norms(self, users, items):
        return self.users(users).square().sum(-1), self.items(items).square().sum(-1)


def query(*users: int) -> Query:
    return Query(torch.tensor(users), histories_of(*([0] for _ in users)))


def recommender() -> PairRecommender:
    torch.manual_seed(0)
    return as_recommender(Distances(), NUM_ITEMS)


def test_a_model_with_scores_stays_as_it_is():
    model = MF(4, 6, embedding_dim=2)
    assert as_recommender(model, 6) is model


def test_a_model_without_scores_is_refused():
    with pytest.raises(ModelError, match="needs score or score_pairs, but Linear has neither"):
        as_recommender(nn.Linear(1, 1), 6)


def test_is_a_recommender_with_the_weights_and_the_name_of_its_network():
    model = recommender()
    for protocol in (ScoringModel, ScoresPairs, Exportable):
        assert isinstance(model, protocol)
    assert model.model_name == "Distances"
    assert not hasattr(model, "squared_norms")
    assert set(model.state_dict()) == {"network.users.weight", "network.items.weight"}


def test_scores_are_those_of_the_pairs_and_unknown_users_are_unscored():
    model = recommender()
    scores = model.score(query(2, -1, 0))
    assert scores[1].isnan().all()
    for row, user in ((0, 2), (2, 0)):
        expected = [model.score_pairs(torch.tensor(user), torch.tensor(item)).item() for item in range(NUM_ITEMS)]
        torch.testing.assert_close(scores[row], torch.tensor(expected))


def test_blocks_change_nothing(monkeypatch):
    whole = recommender().score(query(0, 1, 2, 3))
    monkeypatch.setattr(pair_recommender, "MAX_PAIRS", 1)
    assert recommender().score(query(0, 1, 2, 3)).equal(whole)


def test_rows_have_gradients():
    model = recommender()
    model.score_catalogue(torch.tensor([1])).sum().backward()
    assert model.network.users.weight.grad is not None


def test_optional_methods_are_those_of_the_network_after_a_copy_too():
    model = copy.deepcopy(as_recommender(Penalised(), NUM_ITEMS))
    model.network.users.weight.data.fill_(2.0)
    norms, _ = model.squared_norms(torch.tensor([0]), torch.tensor([0]))
    assert norms.tolist() == [12.0]


def test_is_the_same_in_onnx(tmp_path):
    model = recommender().eval()
    users = query(2, -1, 0)
    expected = model.score(users)
    export_encoder(model.serving_form().encoder, tmp_path / "encoder.onnx")
    torch.testing.assert_close(run(tmp_path / "encoder.onnx", served(users)), expected, equal_nan=True)
    export_ranker(model.serving_ranker(), tmp_path / "ranker.onnx")
    candidates = torch.tensor([[0, 5], [1, 1], [4, -1]])
    found = run(tmp_path / "ranker.onnx", served(users), **{CANDIDATES: candidates})
    chosen = expected.gather(1, candidates.clamp(min=0))
    inside = candidates >= 0
    torch.testing.assert_close(found[inside], chosen[inside], equal_nan=True)
