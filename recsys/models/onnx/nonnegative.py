"""Vectors without negative numbers from the items of a history.

Its loops are known to the ONNX exporter of PyTorch 2.13; that of 2.10 and those before cannot write them.

Shape suffixes: B queries, I items of the catalogue, D dim.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch._higher_order_ops.while_loop import while_loop

from recsys.models.linalg.least_squares import TINY
from recsys.models.onnx.fold_in_factors import VectorsOfHistory
from recsys.models.onnx.onnx_query import OnnxQuery

#: Numbers that change by less than this share of the largest do not change.
_ROUNDING = 1e-7
#: What would come out the same is computed again rather than compared each time, which takes longer.
_TIMES_PER_CHECK = 4

_State = tuple[Tensor, ...]


class NonNegativeLeastSquares(nn.Module):
    """Minimises ``|x_u - W h|^2 / 2 + l1 sum w + l2 |w|^2 / 2`` over one dimension of w after the other, in sweeps.

    Within a sweep the new value of a dimension is ``max(0, p_d - sum_e<d c_ed w'_e - sum_e>d c_ed w_e)``, where w' are
    new values and w those of the sweep before. Instead of D short steps in a row, all dimensions are computed at once
    from the values of w' that are there, again and again until they stay: each time at least one more of them is
    right for good, so that it ends after D times at most, and after about ten as a rule. Sweeps end as soon as one
    changes nothing.

    Args:
        item_vectors: h, shape [I, D].
        l1: weight of the sum.
        l2: weight of the squares.
        num_sweeps: at most.
    """

    scales: Tensor
    earlier: Tensor
    later: Tensor

    def __init__(self, item_vectors: Tensor, l1: float, l2: float, num_sweeps: int) -> None:
        super().__init__()
        self.history = VectorsOfHistory(item_vectors)
        gram = item_vectors.T @ item_vectors
        scales = gram.diagonal().add(l2).clamp(min=TINY)
        coupling = gram / scales
        self.register_buffer("scales", scales)
        self.register_buffer("earlier", coupling.triu(1))
        self.register_buffer("later", coupling.tril(-1))
        self.l1 = l1
        self.num_sweeps = num_sweeps

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, D]; NaN for an empty history."""
        vectors, counts = self.history(query)
        pull = (vectors.sum(1) - self.l1) / self.scales
        smallest = _ROUNDING * pull.clamp(min=0).amax(1, keepdim=True)
        # A loop may not read one tensor under several names.
        earlier, later, num_sweeps = self.earlier, self.later, self.num_sweeps

        def goes_on(moves: Tensor, sweep: Tensor, values: Tensor) -> Tensor:
            return moves & (sweep < num_sweeps)

        def swept(moves: Tensor, sweep: Tensor, values: Tensor) -> _State:
            target = pull - values @ later

            def is_moving(moves: Tensor, new: Tensor) -> Tensor:
                return moves.clone()

            def moved(moves: Tensor, new: Tensor) -> _State:
                newer = new
                for _ in range(_TIMES_PER_CHECK):
                    before, newer = newer, (target - newer @ earlier).relu()
                return ((newer - before).abs() > smallest).any(), newer

            _, new = _repeat(is_moving, moved, (moves.clone(), values.clone()))
            return ((new - values).abs() > smallest).any(), sweep + 1, new

        yes = torch.ones((), dtype=torch.bool, device=pull.device)
        start = (yes, torch.zeros((), dtype=torch.int64, device=pull.device), torch.zeros_like(pull))
        _, _, values = _repeat(goes_on, swept, start)
        return values.masked_fill((counts == 0)[:, None], torch.nan)


def _repeat(condition: Callable[..., Tensor], step: Callable[..., _State], state: _State) -> _State:
    """Take steps as long as the condition holds; as one operation of the graph where the module is exported."""
    if torch.compiler.is_compiling():
        exported: _State = while_loop(condition, step, state)
        return exported
    while bool(condition(*state)):
        state = step(*state)
    return state
