import torch
from torch import nn

from recsys.models.layers.embedding import Embedding, RowKeeper


def pair() -> tuple[nn.Embedding, Embedding]:
    torch.manual_seed(0)
    reference, ours = nn.Embedding(6, 3), Embedding(6, 3)
    ours.load_state_dict(reference.state_dict())
    return reference, ours


def test_gives_the_rows_and_the_gradient_of_pytorch():
    reference, ours = pair()
    index = torch.tensor([[0, 5], [5, 5], [2, 0]])
    weight = torch.randn(3, 2, 3)
    for table in (reference, ours):
        (table(index) * weight).sum().backward()
    assert torch.equal(ours(index), reference(index))
    torch.testing.assert_close(ours.weight.grad, reference.weight.grad)
    assert ours.weight.grad[1].tolist() == [0, 0, 0]


def test_gradients_of_two_uses_add_up():
    reference, ours = pair()
    for table in (reference, ours):
        (table(torch.tensor([1, 2])).sum() + table(torch.tensor([2])).square().sum()).backward()
    torch.testing.assert_close(ours.weight.grad, reference.weight.grad)


def test_gradient_has_the_precision_of_the_table():
    _, ours = pair()
    with torch.autocast("cpu", torch.bfloat16):
        nn.functional.linear(ours(torch.tensor([1])), torch.ones(2, 3)).sum().backward()
    assert ours.weight.grad.dtype == torch.float32
    torch.testing.assert_close(ours.weight.grad[1], torch.full((3,), 2.0))


def test_numerical_gradient():
    _, ours = pair()
    index = torch.tensor([3, 3, 4])
    ours = ours.double()
    assert torch.autograd.gradcheck(
        lambda weight: torch.func.functional_call(ours, {"weight": weight}, (index,)), (ours.weight,)
    )


class Keeper(RowKeeper):
    """Notes what it is asked to catch up."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.caught_up: list[object] = []

    def by_rows(self, num_ids: int) -> bool:
        return num_ids <= self.most

    def catch_up(self, ids: torch.Tensor) -> None:
        self.caught_up.append(ids.tolist())

    def catch_up_all(self) -> None:
        self.caught_up.append("all")


def test_a_kept_table_has_a_gradient_of_rows_where_few_are_read():
    reference, ours = pair()
    ours.keeper = Keeper(2)
    for table in (reference, ours):
        (table(torch.tensor([1, 1])).square().sum() + table(torch.tensor([4])).sum()).backward()
    assert ours.weight.grad.is_sparse and ours.weight.grad._nnz() == 3
    torch.testing.assert_close(ours.weight.grad.to_dense(), reference.weight.grad)
    assert ours.keeper.caught_up == [[1, 1], [4]]


def test_where_many_are_read_all_are_caught_up_and_the_gradient_is_dense():
    reference, ours = pair()
    ours.keeper = Keeper(2)
    for table in (reference, ours):
        table(torch.tensor([1, 1, 3])).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, reference.weight.grad)
    assert ours.table() is ours.weight
    with torch.no_grad():
        ours(torch.tensor([1]))
    assert ours.keeper.caught_up == ["all", "all"]


def test_gradients_of_rows_and_of_the_whole_table_add_up():
    reference, ours = pair()
    ours.keeper = Keeper(2)
    for table in (reference, ours):
        whole = table.table() if table is ours else table.weight
        (table(torch.tensor([1, 5])).square().sum() + whole.sum()).backward()
    torch.testing.assert_close(ours.weight.grad, reference.weight.grad)
