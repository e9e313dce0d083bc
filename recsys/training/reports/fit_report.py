"""What a training gave; opened without what trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RunError

LAST_CHECKPOINT = "last.ckpt"
REPORT = "fit.json"

#: Receives the metrics of each epoch, from 1.
Listener = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a training gave.

    Args:
        epochs: the metrics of each epoch.
        best_epoch: epoch from 1 whose weights the network now has.
        best_value: the monitored metric at that epoch; None without validation.
    """

    epochs: list[dict[str, float]]
    best_epoch: int
    best_value: float | None


def read_report(path: Path) -> FitReport:
    """Read what :func:`recsys.training.fitting.fit` left of a training that came to its end.

    Raises:
        RunError: it is damaged.
    """
    try:
        return FitReport(**json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, TypeError) as error:
        raise RunError(
            f"{path} is damaged ({error}). Delete it, and training goes on from {LAST_CHECKPOINT}."
        ) from error
