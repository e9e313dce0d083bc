import pytest
import torch
from torch import Tensor
from torch.nn import functional

from recsys.training import linear_cross_entropy as module
from recsys.training.linear_cross_entropy import linear_cross_entropy

TARGETS = torch.tensor([0, 4, 2, 4, 1])


def inputs(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    return (
        torch.randn(5, 3, generator=random).to(dtype).requires_grad_(),
        torch.randn(6, 3, generator=random).to(dtype).requires_grad_(),
    )


# 6 scores a query: one query at a time, two, and all at once
@pytest.mark.parametrize("at_once", [1, 13, 1000])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_pytorch(at_once, label_smoothing, monkeypatch):
    monkeypatch.setitem(module.SCORES_AT_ONCE, "cpu", at_once)
    queries, vectors = inputs()
    loss = linear_cross_entropy(queries, vectors, TARGETS, label_smoothing)
    (2 * loss).backward()
    same_queries, same_vectors = inputs()
    expected = functional.cross_entropy(same_queries @ same_vectors.T, TARGETS, label_smoothing=label_smoothing)
    (2 * expected).backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(queries.grad, same_queries.grad)
    torch.testing.assert_close(vectors.grad, same_vectors.grad)


def test_large_scores_do_not_overflow():
    queries, vectors = inputs()
    loss = linear_cross_entropy(1e4 * queries, vectors, TARGETS)
    torch.testing.assert_close(loss, functional.cross_entropy(1e4 * queries @ vectors.T, TARGETS))


def test_in_bfloat16_the_softmax_is_in_single_precision():
    queries, vectors = inputs()
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(queries, vectors, TARGETS)
    loss.backward()
    scores = (queries.bfloat16() @ vectors.bfloat16().T).float()
    assert loss.dtype == queries.grad.dtype == torch.float32
    torch.testing.assert_close(loss, functional.cross_entropy(scores, TARGETS))


def test_in_double_precision_the_softmax_is_in_it_too():
    queries, vectors = inputs(torch.float64)
    loss = linear_cross_entropy(queries, vectors, TARGETS)
    torch.testing.assert_close(loss, functional.cross_entropy(queries @ vectors.T, TARGETS), rtol=1e-14, atol=0)
