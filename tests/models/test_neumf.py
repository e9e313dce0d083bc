import numpy as np
import pytest
import torch

from recsys.models import neumf
from recsys.models.interface.protocols import PretrainsInTowers, ScoresPairs, ScoringModel
from recsys.models.layers import projected_rows
from recsys.models.neumf import GMF, MLP, NeuMF
from recsys.training.optimizers.adam import Adam
from tests.models.test_mf import query

#: For the contract that every model keeps.
BOARD = [
    "model.embedding_dim=8",
    "model.hidden_dims=[16,8]",
    "training.optimizer.lr=0.02",
    "training.batch_size=64",
]


def networks() -> list[torch.nn.Module]:
    torch.manual_seed(1)
    made = [
        GMF(5, 7, embedding_dim=4),
        MLP(5, 7, embedding_dim=4, hidden_dims=(6, 3), dropout=0.5),
        NeuMF(5, 7, embedding_dim=4, hidden_dims=(6, 3, 2), dropout=0.5),
    ]
    return [network.eval() for network in made]


@pytest.mark.parametrize("network", networks(), ids=lambda network: type(network).__name__)
class TestEveryNetwork:
    def test_implements_its_protocols(self, network):
        assert isinstance(network, ScoringModel)
        assert isinstance(network, ScoresPairs)

    def test_pairs_and_whole_rows_agree(self, network):
        pairs = network.score_pairs(torch.arange(5)[:, None], torch.arange(7)[None, :])
        torch.testing.assert_close(network.score(query([0, 1, 2, 3, 4])), pairs)

    def test_whole_rows_are_the_same_without_gradients(self, network):
        with_gradients = network.score(query([0, 1, 2, 3, 4]))
        with torch.inference_mode():
            torch.testing.assert_close(network.score(query([0, 1, 2, 3, 4])), with_gradients)
            assert network.score(query([])).shape == (0, 7)

    def test_blocks_of_any_size_agree(self, network, monkeypatch):
        whole = network.score(query([0, 1, 2, 3, 4]))
        monkeypatch.setitem(neumf.PAIRS_PER_BLOCK, "cpu", 15)
        torch.testing.assert_close(network.score(query([0, 1, 2, 3, 4])), whole)

    def test_no_users_give_no_rows(self, network):
        assert network.score(query([])).shape == (0, 7)

    def test_unknown_users_have_no_opinion(self, network):
        assert network.score(query([-1])).isnan().all()

    def test_dropout_is_off_in_evaluation(self, network):
        first = network.score_pairs(torch.arange(5), torch.arange(5))
        assert torch.equal(first, network.score_pairs(torch.arange(5), torch.arange(5)))


def test_split_first_layer_is_a_layer_over_the_concatenation():
    torch.manual_seed(2)
    mlp = MLP(3, 4, embedding_dim=2, hidden_dims=(5, 3)).eval()

    def array(tensor: torch.Tensor) -> np.ndarray:
        return tensor.detach().numpy().astype(np.float64)

    # W1 [p; q] + b1 with W1 the two parts side by side, in NumPy and pair by pair
    first = np.concatenate([array(mlp.user_part.weight), array(mlp.item_part.weight)], axis=1)
    for user in range(3):
        for item in range(4):
            joint = np.concatenate([array(mlp.user_vectors.weight[user]), array(mlp.item_vectors.weight[item])])
            hidden = np.maximum(first @ joint + array(mlp.user_part.bias), 0)
            hidden = np.maximum(array(mlp.hidden[0].weight) @ hidden + array(mlp.hidden[0].bias), 0)
            expected = array(mlp.output.weight)[0] @ hidden + array(mlp.output.bias)[0]
            assert mlp.score_pairs(torch.tensor(user), torch.tensor(item)).item() == pytest.approx(expected, rel=1e-5)


def test_gmf_score_is_a_weighted_product():
    gmf = GMF(1, 1, embedding_dim=2)
    with torch.no_grad():
        gmf.user_vectors.weight.copy_(torch.tensor([[1.0, 2.0]]))
        gmf.item_vectors.weight.copy_(torch.tensor([[3.0, 4.0]]))
        gmf.output.weight.copy_(torch.tensor([[10.0, 1.0]]))
        gmf.output.bias.fill_(0.5)
    # 10 * 1 * 3 + 1 * 2 * 4 + 0.5
    assert gmf.score_pairs(torch.tensor([0]), torch.tensor([0])).tolist() == [38.5]


def test_fused_network_scores_the_weighted_mean_of_its_towers():
    torch.manual_seed(3)
    network = NeuMF(5, 7, embedding_dim=4, hidden_dims=(6, 3), gmf_share=0.25).eval()
    assert isinstance(network, PretrainsInTowers)
    towers = network.towers()
    alone = {name: tower.score(query([0, 4])) for name, tower in towers.items()}
    network.fuse()
    torch.testing.assert_close(network.score(query([0, 4])), 0.25 * alone["gmf"] + 0.75 * alone["mlp"])


def test_squared_norms_cover_both_towers():
    network = networks()[2]
    user_norms, item_norms = network.squared_norms(torch.tensor([1]), torch.tensor([2]))
    both = [tower.user_vectors.weight[1].square().sum() for tower in (network.gmf, network.mlp)]
    torch.testing.assert_close(user_norms[0], sum(both))
    both = [tower.item_vectors.weight[2].square().sum() for tower in (network.gmf, network.mlp)]
    torch.testing.assert_close(item_norms[0], sum(both))


@pytest.mark.parametrize("keeps_rows", [False, True])
def test_the_first_layer_of_the_whole_table_has_the_gradients_of_that_of_each_pair(keeps_rows, monkeypatch):
    users, items = torch.tensor([[0], [2], [0]]), torch.tensor([[1, 3, 0], [1, 1, 2], [3, 0, 1]])
    monkeypatch.setattr(projected_rows, "LEAST_DIM", {})
    gradients = []
    for reads in (0, 100):
        monkeypatch.setattr(projected_rows, "READS_PER_ROW", reads)
        torch.manual_seed(0)
        tower = MLP(3, 4, embedding_dim=5, hidden_dims=(6, 3))
        if keeps_rows:
            optimizer = Adam(tower.parameters(), lr=0.1)
            for table in (tower.user_vectors, tower.item_vectors):
                optimizer.keep(table)
        tower.score_pairs(users, items).square().sum().backward()
        gradients.append([parameter.grad.to_dense() for parameter in tower.parameters()])
    torch.testing.assert_close(*gradients)
