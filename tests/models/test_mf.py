import pytest
import torch
from torch import nn

from recsys.data.histories import Histories
from recsys.models.interface.protocols import Factorized, Query, ScoresPairs, ScoringModel
from recsys.models.mf import MF

#: For the contract that every model keeps.
BOARD = ["model.embedding_dim=8", "training.optimizer.lr=0.02", "training.batch_size=64"]


def query(users: list[int]) -> Query:
    offsets = torch.zeros(len(users) + 1, dtype=torch.int64)
    return Query(
        torch.tensor(users, dtype=torch.int64), Histories(offsets, torch.empty(0, dtype=torch.int64), None, None)
    )


def mf() -> MF:
    torch.manual_seed(0)
    model = MF(num_users=3, num_items=4, embedding_dim=2)
    torch.nn.init.normal_(model.user_bias.weight)
    torch.nn.init.normal_(model.item_bias.weight)
    return model.eval()


def test_implements_its_protocols():
    assert isinstance(mf(), ScoringModel)
    assert isinstance(mf(), ScoresPairs)
    assert isinstance(mf(), Factorized)


def test_score_is_the_sum_of_biases_and_the_dot_product():
    model = MF(num_users=1, num_items=1, embedding_dim=2)
    with torch.no_grad():
        model.user_vectors.weight.copy_(torch.tensor([[1.0, 2.0]]))
        model.item_vectors.weight.copy_(torch.tensor([[3.0, 4.0]]))
        model.user_bias.weight.fill_(0.5)
        model.item_bias.weight.fill_(0.25)
        model.global_bias.fill_(0.125)
    # 1 * 3 + 2 * 4 + 0.5 + 0.25 + 0.125
    assert model.score_pairs(torch.tensor([0]), torch.tensor([0])).tolist() == [11.875]


def test_pairs_and_whole_rows_agree():
    model = mf()
    users, items = torch.arange(3), torch.arange(4)
    pairs = model.score_pairs(users[:, None], items[None, :])
    torch.testing.assert_close(model.score(query([0, 1, 2])), pairs)


def test_unknown_users_have_no_opinion():
    scores = mf().score(query([1, -1]))
    assert not scores[0].isnan().any()
    assert scores[1].isnan().all()


def test_inner_product_of_the_encoders_differs_from_the_score_by_a_constant_for_each_user():
    model = mf()
    product = model.encode_users(query([0, 1, 2])) @ model.encode_items(torch.arange(4)).T
    difference = model.score(query([0, 1, 2])) - product
    torch.testing.assert_close(difference, difference[:, :1].expand(-1, 4))


def test_encoder_of_an_unknown_user_is_nan():
    assert mf().encode_users(query([-1])).isnan().all()


def test_squared_norms():
    model = mf()
    user_norms, item_norms = model.squared_norms(torch.tensor([[2]]), torch.tensor([[0, 3]]))
    torch.testing.assert_close(user_norms, model.user_vectors.weight[[2]].norm(dim=1, keepdim=True).square())
    torch.testing.assert_close(item_norms, model.item_vectors.weight[[0, 3]].norm(dim=1)[None].square())


def test_without_biases_the_score_is_the_dot_product_alone():
    model = MF(num_users=2, num_items=3, embedding_dim=4, biases=False).eval()
    product = model.user_vectors.weight @ model.item_vectors.weight.T
    torch.testing.assert_close(model.score(query([0, 1])), product)
    torch.testing.assert_close(model.score_pairs(torch.arange(2), torch.arange(2)), product.diagonal())
    torch.testing.assert_close(model.encode_users(query([0, 1])) @ model.encode_items(torch.arange(3)).T, product)


def test_factor_tables_are_what_scores_are_made_of():
    model = MF(4, 5, embedding_dim=3, dropout=0.5)
    assert model.factor_tables() is None  # dropout comes in between
    tables = model.eval().factor_tables()
    nn.init.normal_(tables.user_bias.weight)
    nn.init.normal_(tables.item_bias.weight)
    nn.init.normal_(tables.global_bias)
    vector, item = tables.user_vectors.weight[1], tables.item_vectors.weight[2]
    expected = vector @ item + tables.user_bias.weight[1, 0] + tables.item_bias.weight[2, 0] + tables.global_bias[0]
    torch.testing.assert_close(model.score_pairs(torch.tensor([1]), torch.tensor([2])), expected[None])


def test_without_biases_the_factor_tables_are_the_vectors():
    model = MF(4, 5, embedding_dim=3, biases=False)
    tables = model.factor_tables()
    assert tables.user_vectors is model.user_vectors and tables.item_vectors is model.item_vectors
    assert tables.user_bias is tables.item_bias is tables.global_bias is None


@pytest.mark.parametrize("options", [{}, {"biases": False}, {"dropout": 0.5}])
def test_scores_with_norms_are_scores_and_norms(options):
    torch.manual_seed(0)
    model = MF(4, 5, embedding_dim=3, **options)
    users, items = torch.tensor([[0], [3]]), torch.tensor([[1, 1], [4, 0]])
    torch.manual_seed(1)
    scores, *norms = model.score_pairs_with_norms(users, items)
    torch.manual_seed(1)
    torch.testing.assert_close(scores, model.score_pairs(users, items))
    for found, expected in zip(norms, model.squared_norms(users, items), strict=True):
        torch.testing.assert_close(found, expected)
