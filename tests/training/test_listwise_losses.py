import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import RecsysError
from recsys.training.listwise_losses import LambdaNDCG, ListSoftmax

LOSSES = [ListSoftmax(), LambdaNDCG(10)]
INF = torch.inf


def tensors(scores: list, relevant: list, weights: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.tensor(scores, requires_grad=True), torch.tensor(relevant), torch.tensor(weights).log()


def test_softmax_by_hand():
    # Item 0 against items 1 and 2, which count 1 and 3: -log(e^1 / (e^1 + e^0 + 3 e^-1)) = 0.5720.
    given_ = tensors([[1.0, 0.0, -1.0]], [[True, False, False]], [[0.0, 1.0, 3.0]])
    assert ListSoftmax()(*given_).item() == pytest.approx(math.log((math.e + 1 + 3 / math.e) / math.e))


def test_relevant_candidates_do_not_compete():
    # Both relevant: -log(e^1 / (e^1 + e^0)) and -log(e^2 / (e^2 + e^0)), and their mean.
    given_ = tensors([[1.0, 2.0, 0.0]], [[True, True, False]], [[0.0, 0.0, 1.0]])
    expected = (math.log1p(math.exp(-1)) + math.log1p(math.exp(-2))) / 2
    assert ListSoftmax()(*given_).item() == pytest.approx(expected)


def test_lambda_by_hand():
    # Scores 0, 1, -1, of which the first is relevant: ranks 2, 1 and 3 with discounts 0.6309, 1 and 0.5.
    given_ = tensors([[0.0, 1.0, -1.0]], [[True, False, False]], [[0.0, 1.0, 1.0]])
    second = 1 / math.log2(3)
    expected = (1 - second) * math.log1p(math.e) + (second - 0.5) * math.log1p(math.exp(-1))
    assert LambdaNDCG(10)(*given_).item() == pytest.approx(expected, rel=1e-5)


def test_lambda_looks_at_no_exchange_below_the_cut_off():
    given_ = tensors([[0.0, 5.0, 1.0, -1.0]], [[True, False, False, False]], [[0.0, 1.0, 1.0, 1.0]])
    # Of the first place alone the relevant candidate (third) can only profit from the first.
    assert LambdaNDCG(1)(*given_).item() == pytest.approx(math.log1p(math.exp(5)), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@given(st.integers(0, 1000))
def test_padding_changes_nothing(loss, seed):
    random = np.random.default_rng(seed)
    scores = torch.from_numpy(random.normal(size=(3, 6)))
    relevant = torch.from_numpy(random.random((3, 6)) < 0.4)
    relevant[:, 0], relevant[:, 1] = True, False
    log_weights = torch.from_numpy(random.normal(size=(3, 6))).masked_fill(relevant, -INF)
    whole = loss(scores, relevant, log_weights)
    wide = [torch.nn.functional.pad(scores, (0, 2), value=9.0), torch.nn.functional.pad(relevant, (0, 2))]
    padded = loss(*wide, torch.nn.functional.pad(log_weights, (0, 2), value=-INF))
    torch.testing.assert_close(padded, whole)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_raise_what_is_relevant_and_are_finite_with_padding(loss):
    scores, relevant, log_weights = tensors(
        [[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]],
        [[True, False, False], [False, True, False]],
        [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]],
    )
    loss(scores, relevant, log_weights).backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert (scores.grad[relevant] < 0).all()
    assert scores.grad[0, 2] == 0  # padding
    assert scores.grad[1, 2] > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_heavier_negatives_are_pushed_harder(loss):
    scores, relevant, log_weights = tensors([[2.0, 1.0, 1.0]], [[True, False, False]], [[0.0, 3.0, 1.0]])
    loss(scores, relevant, log_weights).backward()
    assert scores.grad is not None
    assert scores.grad[0, 1] > 1.5 * scores.grad[0, 2] > 0


def test_a_cut_off_below_one_is_refused():
    with pytest.raises(RecsysError, match=r"listwise_loss\.k must be at least 1"):
        LambdaNDCG(0)
