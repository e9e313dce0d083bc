"""What makes an optimiser of PyTorch one that updates the touched rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from recsys.models.layers.embedding import Embedding
from recsys.training.optimizers.row_rule import RowRule
from recsys.training.optimizers.table_rows import TableRows

if TYPE_CHECKING:
    _Base = torch.optim.Optimizer
else:
    _Base = object


class KeepsRows(_Base):
    """A mix-in for an optimiser of PyTorch, before it in the list of bases.

    A table is kept from :meth:`keep` to :meth:`release`. In between its gradients may be sparse, and rows that no step
    has touched lag behind, until they are read or all are caught up. State is saved and loaded in PyTorch's own form.
    """

    #: Of all tables that are kept, see :meth:`~recsys.training.optimizers.table_rows.TableRows.bytes_whole`.
    _bytes_of_all = 0

    def rule(self, settings: Mapping[str, Any]) -> RowRule | None:
        """The arithmetic of a table; None where all of its rows have to be updated in each step.

        Args:
            settings: the group of the table.
        """
        raise NotImplementedError

    def keep(self, table: Embedding) -> None:
        """Update the touched rows of ``table`` alone, if it is among the parameters and the settings allow it."""
        weight = table.trained_rows
        groups = [number for number, group in enumerate(self.param_groups) if any(p is weight for p in group["params"])]
        rule = self.rule(self.param_groups[groups[0]]) if groups else None
        if rule is not None:
            table.keeper = TableRows(
                weight,
                rule,
                lambda: self.state[weight],
                lambda: self.param_groups[groups[0]],
                lambda: self._bytes_of_all,
            )
            self._kept[weight] = table
            self._bytes_of_all = sum(rows.bytes_whole() for rows in self._rows())

    def costs_less_by_rows(self, num_ids: int) -> bool:
        """Whether of any table that is kept a gradient of so many rows costs less as rows than as a whole table."""
        return any(rows.costs_less_as_rows(num_ids) for rows in self._rows())

    def updates_just(self, weights: Iterable[Tensor]) -> bool:
        """Whether these are all that is updated, and each of them is.

        Args:
            weights: of a network.
        """
        params = [param for group in self.param_groups for param in group["params"]]
        wanted = {id(weight) for weight in weights}
        return wanted == {id(param) for param in params} and all(param.requires_grad for param in params)

    def release(self) -> None:
        """Catch all rows up, and update all of them in each step from now on."""
        for table in self._kept.values():
            assert table.keeper is not None
            table.keeper.catch_up_all()
            table.keeper = None
        self._kept.clear()

    def catch_up_all(self) -> None:
        """Bring all rows of all tables to where every step so far would have left them."""
        for rows in self._rows():
            rows.catch_up_all()

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take a step; see ``torch.optim.Optimizer``."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        sparse: list[tuple[TableRows, Tensor]] = []
        dense: list[TableRows] = []
        for rows in self._rows():
            grad = rows.weight.grad
            if grad is None:
                continue
            if grad.is_sparse:
                sparse.append((rows, grad))
                rows.weight.grad = None
            else:
                rows.catch_up_all()
                dense.append(rows)
        super().step()
        for rows in dense:
            rows.restart()
        for rows, grad in sparse:
            rows.update(grad)
            rows.weight.grad = grad
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state in PyTorch's form, with all rows caught up."""
        self.catch_up_all()
        return super().state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state in PyTorch's form, with the weights of the same moment."""
        super().load_state_dict(state_dict)
        self.restart_rows()

    def restart_rows(self) -> None:
        """Count from here: every row is current, and the state says how many steps there were."""
        for rows in self._rows():
            rows.restart()

    @property
    def _kept(self) -> dict[Tensor, Embedding]:
        """The tables that are kept, by their weights."""
        return self.__dict__.setdefault("_kept_tables", {})

    def _rows(self) -> list[TableRows]:
        return [table.keeper for table in self._kept.values() if isinstance(table.keeper, TableRows)]
