import math

import numpy as np
import pytest
import torch

from recsys.training.losses import (
    BPRLoss,
    LogisticLoss,
    SampledSoftmaxLoss,
    SoftmaxLoss,
    SquaredLoss,
    WeightedLogisticLoss,
    softplus_form,
)

POSITIVE = torch.tensor([2.0, 0.0])
NEGATIVE = torch.tensor([[1.0, -1.0], [0.0, 3.0]])
NO_CORRECTION = torch.zeros(())


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_forms_of_losses_are_those_of_their_own_classes():
    class Other(BPRLoss):
        pass

    assert softplus_form(LogisticLoss()) == "scores" and softplus_form(BPRLoss()) == "differences"
    assert softplus_form(Other()) is softplus_form(SampledSoftmaxLoss()) is softplus_form(len) is None


def test_logistic_loss_is_the_mean_over_all_pairs():
    # -log s(2), -log s(0) for the positives; -log(1 - s(x)) for 1, -1, 0, 3
    terms = [-math.log(sigmoid(2)), -math.log(0.5)] + [-math.log(1 - sigmoid(x)) for x in (1, -1, 0, 3)]
    assert LogisticLoss()(POSITIVE, NEGATIVE, NO_CORRECTION).item() == pytest.approx(sum(terms) / 6, rel=1e-6)


def test_bpr_loss_compares_each_negative_with_its_positive():
    # differences: 2 - 1, 2 + 1, 0 - 0, 0 - 3
    terms = [-math.log(sigmoid(x)) for x in (1, 3, 0, -3)]
    assert BPRLoss()(POSITIVE, NEGATIVE, NO_CORRECTION).item() == pytest.approx(sum(terms) / 4, rel=1e-6)


def test_sampled_softmax_without_correction():
    # e^2 / (e^2 + e + e^-1) and 1 / (1 + 1 + e^3)
    terms = [
        -math.log(math.exp(2) / (math.exp(2) + math.e + 1 / math.e)),
        -math.log(1 / (2 + math.exp(3))),
    ]
    assert SampledSoftmaxLoss()(POSITIVE, NEGATIVE, NO_CORRECTION).item() == pytest.approx(sum(terms) / 2, rel=1e-6)


def test_sampled_softmax_corrected_estimates_the_full_softmax():
    scores = torch.tensor([1.5, 0.3, -0.7, 2.2, 0.0])
    # Negatives are all the other items, each drawn from a skewed distribution: many draws, weighted by the inverse
    # of their expected count, sum up to the sum over the catalogue.
    probability = torch.tensor([0.5, 0.2, 0.1, 0.15, 0.05])
    draws = torch.multinomial(probability, 200_000, replacement=True, generator=torch.Generator().manual_seed(0))
    log_q = (probability[draws] * len(draws)).log()
    sampled = torch.logsumexp(scores[draws] - log_q, 0)
    loss = SampledSoftmaxLoss()(torch.tensor([-50.0]), scores[draws][None], log_q[None])
    assert loss.item() == pytest.approx(50 + sampled.item(), rel=1e-5)
    assert sampled.item() == pytest.approx(torch.logsumexp(scores, 0).item(), abs=0.02)


def catalogue() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    scores = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.5, 2.0]])
    return scores, torch.tensor([0, 1, 1]), torch.tensor([0, 1, 2]), torch.tensor([1, 2])


def test_softmax_loss_is_the_sum_over_positives():
    scores, rows, items, counts = catalogue()
    array = scores.numpy().astype(np.float64)
    log_softmax = array - np.log(np.exp(array).sum(1, keepdims=True))
    expected = -log_softmax[rows.numpy(), items.numpy()].sum()
    assert SoftmaxLoss()(scores, rows, items, counts).item() == pytest.approx(expected, rel=1e-6)


def test_weighted_logistic_loss_is_the_expected_sampled_loss():
    scores, rows, items, counts = catalogue()
    # 4 uniform negatives for each positive out of 3 items: each item of a user with n positives weighs 4 n / 3
    expected = sum(-math.log(sigmoid(x)) for x in (1.0, 0.5, 2.0))
    expected += sum(4 / 3 * -math.log(1 - sigmoid(x)) for x in (1.0, 0.0, -1.0))
    expected += sum(8 / 3 * -math.log(1 - sigmoid(x)) for x in (0.5, 0.5, 2.0))
    loss = WeightedLogisticLoss(negatives_per_positive=4)(scores, rows, items, counts)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_squared_loss_pulls_positives_to_one_and_everything_to_zero():
    # positives 1, 0.5, 2: 0 + 0.25 + 1; all scores squared: 1 + 0 + 1 + 0.25 + 0.25 + 4, weighted 0.5
    assert SquaredLoss(unobserved_weight=0.5)(*catalogue()).item() == pytest.approx(1.25 + 0.5 * 6.5, rel=1e-6)


@pytest.mark.parametrize("loss", [LogisticLoss(), BPRLoss(), SampledSoftmaxLoss()], ids=lambda x: type(x).__name__)
def test_extreme_scores_give_finite_losses(loss):
    value = loss(torch.tensor([-1e4]), torch.tensor([[1e4]]), NO_CORRECTION)
    assert torch.isfinite(value)
    assert value.item() > 1e3


@pytest.mark.parametrize("loss", [LogisticLoss(), BPRLoss(), SampledSoftmaxLoss()], ids=lambda x: type(x).__name__)
def test_raising_a_positive_lowers_the_loss_and_raising_a_negative_raises_it(loss):
    base = loss(POSITIVE, NEGATIVE, NO_CORRECTION)
    assert loss(POSITIVE + 0.1, NEGATIVE, NO_CORRECTION) < base
    assert loss(POSITIVE, NEGATIVE + 0.1, NO_CORRECTION) > base


@pytest.mark.parametrize("loss", [SoftmaxLoss(), WeightedLogisticLoss(), SquaredLoss()], ids=lambda x: type(x).__name__)
def test_a_weight_of_two_counts_as_the_same_positive_twice(loss):
    scores, rows, items, counts = catalogue()
    again = torch.tensor([0, 1, 1, 1]), torch.tensor([0, 1, 2, 2]), counts + torch.tensor([0, 1])
    weights = torch.tensor([1.0, 1.0, 2.0])
    torch.testing.assert_close(loss(scores, rows, items, again[2], weights), loss(scores, *again))
    torch.testing.assert_close(loss(scores, rows, items, counts, torch.ones(3)), loss(scores, rows, items, counts))
