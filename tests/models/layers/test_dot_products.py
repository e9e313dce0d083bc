import pytest
import torch

from recsys.models.layers.dot_products import dot_products, dot_products_and_norms
from recsys.models.layers.embedding import Embedding


def tables(dtype: torch.dtype = torch.float32) -> tuple[Embedding, Embedding]:
    torch.manual_seed(0)
    return Embedding(5, 3, dtype=dtype), Embedding(6, 3, dtype=dtype)


def plain(user_vectors: Embedding, item_vectors: Embedding, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    return (user_vectors.weight[users] * item_vectors.weight[items]).sum(-1)


#: Repeated users, and items repeated within a row and between rows; one user and one item in no pair.
USERS = torch.tensor([[0], [3], [3], [1]])
ITEMS = torch.tensor([[5, 5, 2], [0, 5, 1], [0, 2, 2], [4, 0, 1]])


@pytest.mark.parametrize(
    ("users", "items"),
    [
        (USERS, ITEMS),
        (USERS, ITEMS[:, :1]),
        (USERS[:0], ITEMS[:0]),
        (USERS[:, 0], ITEMS[:, 0]),
        (USERS, ITEMS[:1]),
        (USERS[:1], ITEMS),
        (USERS[0, 0], ITEMS[0, 0]),
    ],
    ids=["batch", "one item each", "empty", "vectors", "one row of items", "one user", "scalars"],
)
def test_products_and_gradients_are_those_of_autograd(users, items):
    ours, reference = tables(), tables()
    weight = torch.randn(torch.broadcast_shapes(users.shape, items.shape))
    product, expected = dot_products(*ours, users, items), plain(*reference, users, items)
    torch.testing.assert_close(product, expected)
    (product * weight).sum().backward()
    (expected * weight).sum().backward()
    for table, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(table.weight.grad, other.weight.grad)


def test_numerical_gradient():
    users, items = tables(torch.float64)

    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.users, self.items = users, items

        def forward(self) -> torch.Tensor:
            return dot_products(self.users, self.items, USERS, ITEMS)

    both = Both()
    assert torch.autograd.gradcheck(
        lambda a, b: torch.func.functional_call(both, {"users.weight": a, "items.weight": b}, ()),
        (users.weight, items.weight),
    )


def test_gradients_of_several_uses_add_up():
    ours, reference = tables(), tables()
    for (user_vectors, item_vectors), function in ((ours, dot_products), (reference, plain)):
        for rows in (slice(0, 2), slice(2, 4)):
            function(user_vectors, item_vectors, USERS[rows], ITEMS[rows]).square().sum().backward()
        (function(user_vectors, item_vectors, USERS, ITEMS).sum() + user_vectors(USERS).square().sum()).backward()
    for table, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(table.weight.grad, other.weight.grad)


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_frozen_table_has_no_gradient_and_the_other_its_own(frozen):
    ours, reference = tables(), tables()
    for pair, function in ((ours, dot_products), (reference, plain)):
        pair[frozen].weight.requires_grad_(False)
        function(*pair, USERS, ITEMS).square().sum().backward()
    assert ours[frozen].weight.grad is None
    torch.testing.assert_close(ours[1 - frozen].weight.grad, reference[1 - frozen].weight.grad)


def test_mixed_precision_leaves_products_and_gradients_whole():
    ours, reference = tables(), tables()
    with torch.autocast("cpu", torch.bfloat16):
        product = dot_products(*ours, USERS, ITEMS)
    assert product.dtype == torch.float32
    product.sum().backward()
    plain(*reference, USERS, ITEMS).sum().backward()
    for table, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(table.weight.grad, other.weight.grad)


def test_whole_bfloat16_tables_train():
    ours = tables(torch.bfloat16)
    dot_products(*ours, USERS, ITEMS).sum().backward()
    assert [table.weight.grad.dtype for table in ours] == [torch.bfloat16] * 2
    expected = torch.zeros(5, 3).index_add_(0, USERS[:, 0], ours[1].weight.detach().float()[ITEMS].sum(1))
    torch.testing.assert_close(ours[0].weight.grad.float(), expected, rtol=0.02, atol=0.02)


def test_nothing_is_kept_for_gradients_that_nobody_asked_for():
    with torch.no_grad():
        assert not dot_products(*tables(), USERS, ITEMS).requires_grad


def test_products_and_norms_and_their_gradients_are_those_of_autograd():
    ours, reference = tables(torch.float64), tables(torch.float64)
    products, user_norms, item_norms = dot_products_and_norms(*ours, USERS, ITEMS)
    expected = plain(*reference, USERS, ITEMS)
    norms = [table.weight[index].square().sum(-1) for table, index in zip(reference, (USERS, ITEMS), strict=True)]
    for found, wanted in zip((products, user_norms, item_norms), (expected, *norms), strict=True):
        torch.testing.assert_close(found, wanted)
    weights = torch.randn(3, *ITEMS.shape, dtype=torch.float64)
    for scores, of_users, of_items in ((products, user_norms, item_norms), (expected, *norms)):
        (scores * weights[0] + of_users * weights[1] + of_items * weights[2]).sum().backward()
    for table, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(table.weight.grad, other.weight.grad)
