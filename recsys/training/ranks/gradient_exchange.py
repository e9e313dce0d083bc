"""Makes one gradient of those of all ranks: that of the joint batch.

The loss of a batch is a mean, so that the joint gradient is the sum of those of the ranks, each weighted by its share
of the batch. Tables whose gradient has the rows of the batch alone are not added up whole: ids and rows go to all
ranks, which is far less where a batch touches few rows of a table. Every rank ends with the same bits.

A step takes a message of a number for each parameter, which says how long the others are, then one for all dense
gradients, and two for all sparse ones: ids and rows.

Shape suffixes: P parameters, I rows of a table, M rows of one rank, S rows of all ranks together, D dim.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from recsys.distributed.collectives import counts_of_ranks, rows_of_ranks, sum_over_ranks
from recsys.models.layers.embedding import Embedding

#: What a rank says of a gradient that it does not have, or has whole; else it says how many rows it has.
_NONE, _WHOLE = -1, -2

#: Gradients of so many bytes are added up where they are; smaller ones together, in a copy.
_LARGE_BYTES = 2**22


class GradientExchange:
    """Exchanges the gradients of a network, step by step.

    Args:
        parameters: whose gradients are exchanged, P of them, in the same order on all ranks.
        tables: of the network; rows that other ranks have touched are brought up to date in those that are kept.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], tables: Iterable[Embedding]) -> None:
        self._parameters = list(parameters)
        self._tables = {id(table.weight): table for table in tables}

    def exchange(self, count: int) -> float:
        """Replace the gradient of each parameter by that of the joint batch.

        Args:
            count: of what this rank's loss is the mean: rows of its batch, say. 0: it has no gradients.

        Returns:
            The share of this rank in the joint batch.
        """
        said = counts_of_ranks([count, *map(_said, self._parameters)])
        share = count / max(1, sum(of_rank[0] for of_rank in said))
        whole, by_rows = [], []
        for place, parameter in enumerate(self._parameters, start=1):
            kinds = [of_rank[place] for of_rank in said]
            if all(kind == _NONE for kind in kinds):
                continue
            if _WHOLE in kinds:
                whole.append(parameter)
            else:
                by_rows.append((parameter, [max(kind, 0) for kind in kinds]))
        self._add_up(whole, share)
        self._gather(by_rows, share)
        return share

    def _add_up(self, parameters: list[nn.Parameter], share: float) -> None:
        """Add up gradients as whole tensors."""
        small: list[nn.Parameter] = []
        for parameter in parameters:
            grad = parameter.grad
            grad = torch.zeros_like(parameter) if grad is None else grad.to_dense() if grad.is_sparse else grad
            parameter.grad = grad.mul_(share) if grad.is_contiguous() else grad.contiguous() * share
            if grad.numel() * grad.element_size() >= _LARGE_BYTES:
                sum_over_ranks(parameter.grad)
            else:
                small.append(parameter)
        for dtype in dict.fromkeys(parameter.dtype for parameter in small):
            alike = [parameter for parameter in small if parameter.dtype == dtype]
            together = torch.cat([_grad(parameter).view(-1) for parameter in alike])
            sum_over_ranks(together)
            for parameter, part in zip(alike, together.split([each.numel() for each in alike]), strict=True):
                parameter.grad = part.view_as(parameter)

    def _gather(self, parameters: list[tuple[nn.Parameter, list[int]]], share: float) -> None:
        """Bring together gradients of rows.

        Args:
            parameters: each with the rows that each rank has of it.
            share: of this rank in the joint batch.
        """
        for dtype in dict.fromkeys(parameter.dtype for parameter, _ in parameters):
            alike = [(parameter, counts) for parameter, counts in parameters if parameter.dtype == dtype]
            narrow = max(len(parameter) for parameter, _ in alike) < 2**31
            own = [_rows_of(parameter) for parameter, _ in alike]
            ids = _parts_of_ranks(
                [ids.to(torch.int32 if narrow else torch.int64) for ids, _ in own], [counts for _, counts in alike]
            )
            rows = _parts_of_ranks(
                [rows.reshape(-1) * share for _, rows in own],
                [[count * parameter[0].numel() for count in counts] for parameter, counts in alike],
            )
            for (parameter, _), joint_ids, joint_rows in zip(alike, ids, rows, strict=True):
                self._set(parameter, joint_ids.long(), joint_rows.view(len(joint_ids), *parameter.shape[1:]))

    def _set(self, parameter: nn.Parameter, ids: Tensor, rows: Tensor) -> None:
        table = self._tables.get(id(parameter))
        if table is not None and table.keeper is not None:
            table.keeper.catch_up(ids)
        parameter.grad = torch.sparse_coo_tensor(ids[None], rows, parameter.shape, check_invariants=False)


def _parts_of_ranks(parts: list[Tensor], lengths: list[list[int]]) -> list[Tensor]:
    """Each of some vectors with those of all ranks behind each other, in one message.

    Args:
        parts: of this rank.
        lengths: of each part, those on all ranks.
    """
    of_ranks = list(zip(*lengths, strict=True))
    together = rows_of_ranks(torch.cat(parts), [sum(of_rank) for of_rank in of_ranks])
    pieces = together.split([length for of_rank in of_ranks for length in of_rank])
    return [torch.cat(pieces[place :: len(parts)]) for place in range(len(parts))]


def _said(parameter: nn.Parameter) -> int:
    grad = parameter.grad
    return _NONE if grad is None else grad._indices().shape[1] if grad.is_sparse else _WHOLE


def _grad(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _rows_of(parameter: nn.Parameter) -> tuple[Tensor, Tensor]:
    """Ids, shape [M], and rows, shape [M, D], of a gradient of rows; none where there is no gradient."""
    grad = parameter.grad
    if grad is None:
        return torch.empty(0, dtype=torch.int64, device=parameter.device), parameter.new_empty(0, *parameter.shape[1:])
    return grad._indices()[0], grad._values()
