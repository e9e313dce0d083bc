"""Results of one model in one cold-start protocol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.statistics.significance import Estimate


@dataclass(frozen=True, slots=True)
class Row:
    """Results of one model in one protocol, with one number of fold-in interactions.

    Args:
        protocol: ``cold_items``, ``cold_users`` or ``cold_both``.
        num_fold_in: fold-in interactions of each held-out user; None if no user is held out.
        model: name of the model.
        estimates: each metric that is defined for some user, such as ``ndcg@10``, ``item_warmth=cold/recall@10`` and
            ``cold_catalogue/recall@10``; empty if the model cannot take part.
        fit_seconds: wall time of fitting; NaN if the model cannot take part.
        cannot: why the model cannot take part; None if it can.
    """

    protocol: str
    num_fold_in: int | None
    model: str
    estimates: dict[str, Estimate]
    fit_seconds: float = math.nan
    cannot: str | None = None

    @classmethod
    def measured(
        cls,
        protocol: str,
        num_fold_in: int | None,
        model: str,
        result: RankingResult,
        fit_seconds: float,
        num_samples: int,
        seed: int,
    ) -> Row:
        """The row of an evaluation; arguments as in the class and in :meth:`Estimate.of`."""
        values = result.per_user | {name: of for name, of in result.per_user_beyond.items() if "/" in name}
        estimates = {name: Estimate.of(of_users, num_samples, seed) for name, of_users in values.items()}
        defined = {name: estimate for name, estimate in estimates.items() if estimate.num_users > 0}
        return cls(protocol, num_fold_in, model, defined, fit_seconds)

    def as_json(self) -> dict[str, Any]:
        """The row for a JSON file; NaN becomes null."""

        def number(value: float) -> float | None:
            return value if math.isfinite(value) else None

        return {
            "protocol": self.protocol,
            "num_fold_in": self.num_fold_in,
            "model": self.model,
            "cannot": self.cannot,
            "fit_seconds": number(round(self.fit_seconds, 3)),
            "estimates": {
                name: {
                    "mean": number(estimate.mean),
                    "low": number(estimate.low),
                    "high": number(estimate.high),
                    "num_users": estimate.num_users,
                }
                for name, estimate in self.estimates.items()
            },
        }
