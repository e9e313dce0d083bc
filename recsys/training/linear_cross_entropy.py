"""Softmax cross-entropy of inner products, without ever holding all of them.

Shape suffixes: M queries, C classes, E dim.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Scores that are computed at once: 4 MiB in a processor's cache, 512 MiB on a GPU, where few large kernels are fast.
SCORES_AT_ONCE = {"cpu": 2**20, "cuda": 2**27}


class _LinearCrossEntropy(torch.autograd.Function):
    """See :func:`linear_cross_entropy`; the gradients are computed on the way forward, while the scores are there."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, vectors: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        num_queries, num_classes = len(queries), len(vectors)
        at_once = max(1, SCORES_AT_ONCE.get(queries.device.type, 2**24) // max(num_classes, 1))
        total, of_queries, of_vectors = queries.new_zeros(()), [], torch.zeros_like(vectors)
        for part, classes in zip(queries.split(at_once), targets.split(at_once), strict=True):
            scores = part @ vectors.T
            scores = scores.to(torch.promote_types(scores.dtype, torch.float32))  # from half precision
            log_sum = scores.logsumexp(1, keepdim=True)
            losses = log_sum - (1 - label_smoothing) * scores.gather(1, classes[:, None])
            if label_smoothing > 0:
                losses -= label_smoothing * scores.mean(1, keepdim=True)
            total += losses.sum()
            # The gradient of the scores in their place: the softmax less the labels.
            grad = scores.sub_(log_sum).exp_()
            if label_smoothing > 0:
                grad -= label_smoothing / num_classes
            grad.scatter_add_(1, classes[:, None], grad.new_full((1, 1), label_smoothing - 1).expand(len(part), 1))
            of_queries.append(grad @ vectors)
            of_vectors += grad.T @ part
        ctx.save_for_backward(torch.cat(of_queries), of_vectors)
        return total / num_queries

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        of_queries, of_vectors = ctx.saved_tensors
        scale = grads[0] / len(of_queries)
        return of_queries * scale, of_vectors * scale, None, None


def linear_cross_entropy(queries: Tensor, vectors: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The mean of ``-log softmax(q . X)_target`` over queries.

    Only a part of the M * C scores is held at a time, and each is computed once for both the loss and its gradient
    (Wijmans et al.: Cut Your Losses in Large-Vocabulary Language Models, 2025, do so in one kernel).

    Args:
        queries: shape [M, E].
        vectors: of the classes, shape [C, E].
        targets: class of each query, shape [M], int64.
        label_smoothing: share of the target's probability that is spread evenly over the classes.

    Returns:
        A scalar.
    """
    loss: Tensor = _LinearCrossEntropy.apply(queries, vectors, targets, label_smoothing)  # type: ignore[no-untyped-call]
    return loss
