import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from recsys.data.user_items import UserItems
from recsys.errors import RecsysError
from recsys.training.next_item_losses import FullSoftmax, InBatchSoftmax

NUM_ITEMS = 12
TARGETS = torch.tensor([0, 1, 0, 2])
USERS = torch.tensor([0, 1, 2, 3])
COUNTS = torch.tensor([6, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def vectors() -> tuple[Tensor, Tensor]:
    queries = torch.randn(4, 3, generator=generator(1))
    catalogue = torch.randn(NUM_ITEMS, 3, generator=generator(2))
    return queries, catalogue


def known() -> UserItems:
    # User 0 has item 5 besides the target.
    return UserItems(torch.tensor([0, 0, 1, 2, 3]), torch.tensor([0, 5, 1, 0, 2]), 4, NUM_ITEMS)


def in_batch(**settings: object) -> InBatchSoftmax:
    loss = InBatchSoftmax(**settings)
    loss.prepare(known(), COUNTS)
    return loss


def full(**settings: float) -> FullSoftmax:
    loss = FullSoftmax(**settings)
    loss.prepare(known(), COUNTS)
    return loss


def compute(
    loss: torch.nn.Module,
    queries: Tensor,
    catalogue: Tensor,
    targets: Tensor = TARGETS,
    users: Tensor = USERS,
    source: torch.Generator | None = None,
) -> Tensor:
    """The loss of queries against a catalogue, with the candidates that it draws."""
    candidates = loss.candidates(targets, users, source or generator())
    matched = catalogue if candidates is None else catalogue[torch.cat([targets, candidates])]
    return loss(queries, matched, targets, users, candidates)


class Fixed(InBatchSoftmax):
    """The whole catalogue once, each item expected once: what shared negatives estimate."""

    def _shared(self, targets: Tensor, generator: torch.Generator) -> Tensor:
        return torch.arange(NUM_ITEMS)

    def _log_q(self, items: Tensor, num_in_batch: int) -> Tensor:
        return torch.zeros(len(items))


def gradient(loss: torch.nn.Module) -> Tensor:
    queries, catalogue = vectors()
    queries.requires_grad_()
    compute(loss, queries, catalogue, TARGETS, USERS, generator()).backward()
    return queries.grad


def test_full_softmax_is_the_mean_cross_entropy_over_the_catalogue():
    queries, catalogue = vectors()
    scores = queries @ catalogue.T
    expected = (scores.logsumexp(1) - scores[torch.arange(4), TARGETS]).mean()
    torch.testing.assert_close(compute(full(), queries, catalogue, TARGETS, USERS, generator()), expected)


@pytest.mark.parametrize("loss", [FullSoftmax(), InBatchSoftmax(num_in_batch=2, num_uniform=500)], ids=str)
def test_items_without_training_are_no_negatives(loss):
    queries, catalogue = vectors()
    catalogue.requires_grad_()
    loss.prepare(known(), torch.where(torch.arange(NUM_ITEMS) < 9, COUNTS, 0))
    compute(loss, queries, catalogue, TARGETS, USERS, generator()).backward()
    assert (catalogue.grad[9:] == 0).all()
    assert (catalogue.grad[:9] != 0).any(dim=1).all()


def test_smoothed_labels_are_those_of_pytorch():
    queries, catalogue = vectors()
    smoothed = compute(full(label_smoothing=0.1), queries, catalogue, TARGETS, USERS, generator())
    uniform = -(queries @ catalogue.T).log_softmax(1).mean()
    plain = compute(full(), queries, catalogue, TARGETS, USERS, generator())
    torch.testing.assert_close(smoothed, 0.9 * plain + 0.1 * uniform)


@pytest.mark.parametrize("correction", ["none", "logq"])
def test_with_the_whole_catalogue_as_negatives_it_is_the_full_softmax(correction):
    queries, catalogue = vectors()
    loss = Fixed(correction=correction)
    expected = compute(full(), queries, catalogue, TARGETS, USERS, generator())
    torch.testing.assert_close(compute(loss, queries, catalogue, TARGETS, USERS, generator()), expected)


def test_refined_with_the_whole_catalogue_has_the_gradient_of_the_full_softmax():
    torch.testing.assert_close(gradient(Fixed(correction="refined")), gradient(full()))


def test_refined_draws_come_closer_to_the_full_gradient_than_logq():
    # The target is frequent and gets a large score, so that it is often among the draws of logq as well.
    exact = gradient(full())

    def error(correction: str) -> float:
        loss = in_batch(num_in_batch=0, num_uniform=200, correction=correction)
        queries, catalogue = vectors()
        total = torch.zeros_like(queries)
        for seed in range(100):
            drawn = queries.clone().requires_grad_()
            compute(loss, drawn, catalogue, TARGETS, USERS, generator(seed)).backward()
            total += drawn.grad
        return (total / 100 - exact).norm().item()

    assert error("refined") < 0.01
    assert error("refined") < error("none")
    assert error("refined") < error("logq")


def test_expected_counts_are_those_of_the_draws():
    loss = in_batch(num_in_batch=3, num_uniform=5)
    assert len(loss._shared(torch.tensor([0, 0, 1, 2, 0, 1]), generator())) == 8
    # 3 draws of the batch, where item 0 is 6 of 19 targets in training, item 1 is 3 and every other one is 1, and
    # 5 uniform draws among 12 items.
    torch.testing.assert_close(loss._log_q(torch.arange(NUM_ITEMS), 3).exp(), 3 * COUNTS / 19 + 5 / 12)


def test_logq_corrects_the_target_as_well_and_refined_does_not():
    class Skewed(Fixed):
        def _log_q(self, items: Tensor, num_in_batch: int) -> Tensor:
            return COUNTS[items].log()

    queries, catalogue = vectors()
    corrected = queries @ catalogue.T - COUNTS.log()
    logq = compute(Skewed(correction="logq"), queries, catalogue, TARGETS, USERS, generator())
    torch.testing.assert_close(logq, functional.cross_entropy(corrected, TARGETS))
    assert not torch.allclose(gradient(Skewed(correction="logq")), gradient(Skewed(correction="refined")))


def test_an_accidental_hit_is_left_out():
    queries, catalogue = vectors()
    loss = in_batch(num_in_batch=4, num_uniform=0, correction="none")
    scores = queries @ catalogue.T
    # The batch's own targets are 0, 1, 0 and 2; in a row with target 0 both zeros are left out.
    expected = [
        functional.softplus(scores[row][[item for item in TARGETS.tolist() if item != target]].logsumexp(0) - positive)
        for row, (target, positive) in enumerate(
            zip(TARGETS.tolist(), scores[torch.arange(4), TARGETS].tolist(), strict=True)
        )
    ]
    torch.testing.assert_close(
        compute(loss, queries, catalogue, TARGETS, USERS, generator()), torch.stack(expected).mean()
    )


def test_known_items_are_left_out_where_asked():
    queries, catalogue = vectors()
    queries.requires_grad_()
    catalogue.requires_grad_()
    loss = Fixed(correction="none", remove_known=True)
    loss.prepare(known(), COUNTS)
    compute(loss, queries[:1], catalogue, TARGETS[:1], USERS[:1], generator()).backward()
    assert (catalogue.grad[5] == 0).all()
    assert (catalogue.grad[6] != 0).any()


def test_hard_negatives_come_from_the_users_list():
    queries, catalogue = vectors()
    catalogue.requires_grad_()
    loss = in_batch(num_in_batch=0, num_uniform=1, num_hard=50, hard_depth=3)
    loss.refresh(torch.tensor([[7, 8, -1], [9, 10, 11], [7, 8, 9], [-1, -1, -1]]))
    compute(loss, queries[:1], catalogue, TARGETS[:1], USERS[:1], generator()).backward()
    touched = set(catalogue.grad.abs().sum(1).nonzero()[:, 0].tolist())
    assert {7, 8} <= touched
    assert not touched & {9, 10, 11}


def test_a_user_without_a_list_has_no_hard_negatives_and_a_finite_loss():
    queries, catalogue = vectors()
    loss = in_batch(num_in_batch=0, num_uniform=3, num_hard=2, hard_depth=3)
    loss.refresh(torch.full((4, 3), -1))
    assert math.isfinite(compute(loss, queries, catalogue, TARGETS, USERS, generator()).item())


def test_a_row_whose_negatives_are_all_left_out_has_a_gradient_of_zero():
    queries, catalogue = vectors()
    queries.requires_grad_()
    loss = in_batch(num_in_batch=1, num_uniform=0)
    compute(loss, queries[:1], catalogue, TARGETS[:1], USERS[:1], generator()).backward()
    assert queries.grad.abs().max() == 0


def test_an_unknown_correction_is_refused():
    with pytest.raises(RecsysError, match="must be one of none, logq, refined; it is logp"):
        InBatchSoftmax(correction="logp")


def test_no_negatives_are_refused():
    with pytest.raises(RecsysError, match="At least one shared negative"):
        InBatchSoftmax(num_in_batch=0, num_uniform=0)
