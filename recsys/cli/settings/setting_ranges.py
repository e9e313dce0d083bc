"""Ranges of numeric settings by their names: a hyper-parameter has one name everywhere, and so one range.

What a constructor refuses by itself, such as numbers that do not go together, is not repeated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ValueRange:
    """An interval of numbers.

    Args:
        low: lower end.
        high: upper end.
        open_low: whether the lower end is not part of it.
        open_high: whether the upper end is not part of it.
    """

    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        if not self.open_low and not self.open_high:
            return f"from {self.low:g} to {self.high:g}"
        low = f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        return f"{low} and {f'below {self.high:g}' if self.open_high else f'at most {self.high:g}'}"


_COUNT = ValueRange(1)
_NOT_NEGATIVE = ValueRange(0)
_POSITIVE = ValueRange(0, open_low=True)
_SHARE = ValueRange(0, 1)
_FACTOR = ValueRange(0, 1, open_low=True)
_DROPOUT = ValueRange(0, 1, open_high=True)

_NAMES: dict[ValueRange, tuple[str, ...]] = {
    _COUNT: (
        *(
            "batch_size",
            "validation_batch_size",
            "validation_users",
            "max_users",
            "max_epochs",
            "epochs",
            "refit_epochs",
            "iterations",
            "T_max",
        ),
        *("embedding_dim", "mlp_embedding_dim", "hidden_dim", "attention_dim", "attribute_dim", "num_components"),
        *("num_layers", "num_heads", "max_history", "num_negatives", "num_candidates", "num_neighbours", "hard_depth"),
        *("k", "ks", "validation_ks", "segment_k", "max_scores", "num_draws", "num_steps", "conjugate_steps"),
        *("max_iterations", "max_items", "max_block_bytes", "min_user_interactions", "min_item_interactions"),
        *(
            "part_size",
            "trials",
            "instances",
            "questions",
            "num_used",
            "devices",
            "num_nodes",
            "version",
            "timeout_seconds",
        ),
        "workers",
        "every",
    ),
    ValueRange(2): ("num_folds", "folds"),
    _NOT_NEGATIVE: (
        *("seed", "sampler_seed", "lr", "weight_decay", "momentum", "eta_min", "l1", "l2_unobserved", "shrinkage"),
        *("unobserved_weight", "negatives_per_positive", "num_in_batch", "num_uniform", "num_hard", "burn_in"),
        *("bootstrap_samples", "show_users", "num_fold_in", "num_given", "num_valid", "exposure_exponent"),
        *("init_std", "baseline_weight", "patience", "retries", "min_train"),
    ),
    _POSITIVE: (
        "temperature",
        "attention_temperature",
        "half_life_days",
        "penalty",
        "tolerance",
        "http_timeout",
        "minutes",
        "lost_after_seconds",
    ),
    _SHARE: ("diversity_weight", "diversity_weights", "gmf_share", "alpha", "replay", "shrink"),
    _FACTOR: ("step_decay", "day_decay", "decay", "mean_decay", "sentence_share", "recall_target"),
    _DROPOUT: ("dropout", "id_dropout", "label_smoothing", "valid_ratio"),
    ValueRange(0, 1, open_low=True, open_high=True): ("test_ratio", "given_ratio"),
    ValueRange(1, 65535): ("http_port", "grpc_port", "metrics_port"),
}

#: The range of a setting, or of each number of a list, by the last part of its key.
RANGES: Mapping[str, ValueRange] = MappingProxyType(
    {name: range_ for range_, names in _NAMES.items() for name in names}
)

#: Settings that have another range than the others of their name, by the end of their key.
_EXCEPTIONS: Mapping[str, ValueRange] = MappingProxyType({"training.l2": _NOT_NEGATIVE, "drift.tolerance": _DROPOUT})


def range_of(key: str) -> ValueRange | None:
    """The range of a setting; None where every number is right.

    Args:
        key: as on the command line, such as ``model.dropout``.
    """
    for end, range_ in _EXCEPTIONS.items():
        if key == end or key.endswith(f".{end}"):
            return range_
    return RANGES.get(key.rpartition(".")[2])
