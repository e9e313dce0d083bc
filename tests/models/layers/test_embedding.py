import torch
from torch import nn

from recsys.models.layers.embedding import Embedding


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
