import pytest
import torch

from recsys.models.layers.dropout import draw_kept
from recsys.models.layers.fused_mlp import pair_perceptron, supports_fused_training, weighted_products
from recsys.models.neumf import GMF, MLP, NeuMF

#: Repeated users, and items repeated within a row and between rows; one user and one item in no pair.
USERS = torch.tensor([[0], [3], [3], [1]])
ITEMS = torch.tensor([[5, 5, 2], [0, 5, 1], [0, 2, 2], [4, 0, 1]])
HIDDEN = [(4,), (4, 3), (4, 3, 2)]


def gmf(dtype: torch.dtype = torch.float32) -> GMF:
    torch.manual_seed(0)
    network = GMF(5, 6, embedding_dim=3, init_std=1.0)
    torch.nn.init.normal_(network.output.weight)
    torch.nn.init.normal_(network.output.bias)
    return network.to(dtype)


def mlp(hidden_dims: tuple[int, ...] = (4, 3), dtype: torch.dtype = torch.float32) -> MLP:
    torch.manual_seed(0)
    network = MLP(5, 6, embedding_dim=3, hidden_dims=hidden_dims, init_std=1.0)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return network.to(dtype)


def products_of(network: GMF, users: torch.Tensor = USERS, items: torch.Tensor = ITEMS) -> torch.Tensor:
    return weighted_products(network.user_vectors, network.item_vectors, network.output, users, items)


def perceptron_of(network: MLP, dropout: float, users: torch.Tensor = USERS, items: torch.Tensor = ITEMS):
    tables, first = (network.user_vectors, network.item_vectors), (network.user_part, network.item_part)
    return pair_perceptron(*tables, *first, list(network.hidden), network.output, dropout, users, items)


def plain_products(network: GMF) -> torch.Tensor:
    products = network.user_vectors.weight[USERS] * network.item_vectors.weight[ITEMS]
    return torch.nn.functional.linear(products, network.output.weight, network.output.bias).squeeze(-1)


def plain_perceptron(network: MLP, dropout: float) -> torch.Tensor:
    """The perceptron by autograd, with the masks that the same seed gives."""
    users, items = network.user_vectors.weight[USERS], network.item_vectors.weight[ITEMS]
    shapes = [users.shape, items.shape, *((*ITEMS.shape, layer.in_features) for layer in network.hidden)]
    counts = [torch.Size(shape).numel() for shape in shapes]
    masks = [torch.ones(shape, dtype=users.dtype) for shape in shapes]
    if dropout > 0:
        kept = draw_kept(sum(counts), dropout).split(counts)
        masks = [mask.view(shape).to(users.dtype) / (1 - dropout) for mask, shape in zip(kept, shapes, strict=True)]
    first = network.user_part(users * masks[0]) + network.item_part(items * masks[1])
    activation = torch.relu(first)
    for layer, mask in zip(network.hidden, masks[2:], strict=True):
        activation = torch.relu(layer(activation * mask))
    return network.output(activation).squeeze(-1)


def gradients(network: torch.nn.Module, scores: torch.Tensor) -> dict[str, torch.Tensor]:
    weight = torch.randn(scores.shape, generator=torch.Generator().manual_seed(1)).to(scores.dtype)
    (scores * weight).sum().backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    network.zero_grad()
    return found


def test_weighted_products_and_gradients_are_those_of_autograd():
    network = gmf()
    scores, expected = products_of(network), plain_products(network)
    torch.testing.assert_close(scores, expected)
    torch.testing.assert_close(gradients(network, scores), gradients(network, expected))


@pytest.mark.parametrize("hidden_dims", HIDDEN)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_perceptron_and_gradients_are_those_of_autograd(hidden_dims, dropout):
    network = mlp(hidden_dims)
    torch.manual_seed(2)
    scores = perceptron_of(network, dropout)
    torch.manual_seed(2)
    expected = plain_perceptron(network, dropout)
    torch.testing.assert_close(scores, expected)
    torch.testing.assert_close(gradients(network, scores), gradients(network, expected))


def numerically(network: torch.nn.Module, score) -> bool:
    names, values = zip(*network.named_parameters(), strict=True)

    class Scores(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self) -> torch.Tensor:
            torch.manual_seed(2)
            return score(self.network)

    scores = Scores()
    names = [f"network.{name}" for name in names]
    return torch.autograd.gradcheck(
        lambda *given: torch.func.functional_call(scores, dict(zip(names, given, strict=True)), ()), values
    )


def test_numerical_gradient_of_weighted_products():
    assert numerically(gmf(torch.float64), products_of)


@pytest.mark.parametrize("hidden_dims", HIDDEN)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_numerical_gradient_of_perceptron(hidden_dims, dropout):
    assert numerically(mlp(hidden_dims, torch.float64), lambda network: perceptron_of(network, dropout))


def test_inputs_of_exactly_zero_get_their_gradient():
    # A table that starts at zero: its dropped elements and its kept ones cannot be told apart by their values.
    network = mlp()
    torch.nn.init.zeros_(network.item_vectors.weight)
    torch.manual_seed(2)
    scores = perceptron_of(network, 0.4)
    torch.manual_seed(2)
    expected = plain_perceptron(network, 0.4)
    found, reference = gradients(network, scores), gradients(network, expected)
    assert found["item_vectors.weight"].count_nonzero() > 0
    torch.testing.assert_close(found, reference)


def test_backward_pass_may_be_repeated():
    network = mlp()
    scores = perceptron_of(network, 0.4).sum() + products_of(shared := gmf()).sum()
    parameters = [*network.parameters(), *shared.parameters()]
    once, twice = (torch.autograd.grad(scores, parameters, retain_graph=True) for _ in range(2))
    torch.testing.assert_close(once, twice, rtol=0, atol=0)


def test_frozen_tables_have_no_gradient_and_the_rest_its_own():
    network = NeuMF(5, 6, embedding_dim=3, hidden_dims=(4, 2), init_std=1.0)
    expected = gradients(network, network.score_pairs(USERS, ITEMS))
    frozen = [name for name in expected if "user_vectors" in name]
    for name in frozen:
        network.get_parameter(name).requires_grad_(False)
    found = gradients(network, network.score_pairs(USERS, ITEMS))
    assert [name for name, grad in found.items() if grad is None] == frozen
    for name in expected.keys() - frozen:
        torch.testing.assert_close(found[name], expected[name])


def test_whole_bfloat16_networks_train():
    network = NeuMF(5, 6, embedding_dim=3, hidden_dims=(4, 2), dropout=0.1, init_std=1.0).to(torch.bfloat16)
    scores = network.score_pairs(USERS, ITEMS)
    assert scores.dtype == torch.bfloat16
    assert all(grad.dtype == torch.bfloat16 for grad in gradients(network, scores).values())


def test_networks_score_batches_by_hand_as_single_pairs_by_autograd():
    network = NeuMF(5, 6, embedding_dim=3, hidden_dims=(4, 2), init_std=1.0).train()
    pairs = network.score_pairs(USERS.expand_as(ITEMS).flatten(), ITEMS.flatten())
    batch = network.score_pairs(USERS, ITEMS)
    assert pairs.grad_fn is not None
    torch.testing.assert_close(batch.flatten(), pairs)


def test_elsewhere_autograd_takes_over():
    assert supports_fused_training(USERS, ITEMS)
    assert not supports_fused_training(USERS[:, 0], ITEMS[:, 0])
    assert not supports_fused_training(USERS[:0], ITEMS[:0])
    assert not supports_fused_training(USERS.to("meta"), ITEMS.to("meta"))
    with torch.no_grad():
        assert not supports_fused_training(USERS, ITEMS)
    with torch.autocast("cpu", torch.bfloat16):
        assert not supports_fused_training(USERS, ITEMS)


@pytest.mark.parametrize("dropout", [0.0, 0.5, 1.0])
def test_any_dropout_and_an_empty_batch(dropout):
    network = NeuMF(5, 6, embedding_dim=3, hidden_dims=(4, 2), dropout=dropout).train()
    assert network.score_pairs(USERS, ITEMS).isfinite().all()
    assert network.score_pairs(USERS[:0], ITEMS[:0]).shape == (0, 3)
    assert network.score_pairs(USERS, ITEMS[:, :0]).shape == (4, 0)


def test_mixed_precision_trains_in_float32_tables():
    network = NeuMF(5, 6, embedding_dim=3, hidden_dims=(4, 2), init_std=1.0)
    expected = network.score_pairs(USERS, ITEMS)
    with torch.autocast("cpu", torch.bfloat16):
        scores = network.score_pairs(USERS, ITEMS)
    torch.testing.assert_close(scores.float(), expected, rtol=0.05, atol=0.05)
    assert all(grad.dtype == torch.float32 for grad in gradients(network, scores).values())
