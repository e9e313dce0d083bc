"""The best settings of a search, ready to be trained with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf

from recsys.cli.commands import command_line
from recsys.studies.tuning.study import FinishedTrial

BEST = "best.yaml"


@dataclass(frozen=True, slots=True)
class BestSettings:
    """What a search recommends.

    Args:
        metric: what was optimised.
        value: the metric of the best trial, on validation.
        trial: its number.
        num_trials: trials of the search.
        overrides: of the command line, without what is the same for all trials.
        command: trains with them.
    """

    metric: str
    value: float
    trial: int
    num_trials: int
    overrides: list[str]
    command: str

    @classmethod
    def of(cls, trial: FinishedTrial, metric: str, fixed: Sequence[str], refit: bool, num_trials: int) -> BestSettings:
        """The settings of ``trial``, which has a result.

        Args:
            trial: the best one.
            metric: what was optimised.
            fixed: overrides of all trials.
            refit: train on validation as well. Where there were epochs, it is then for as many as were best, as
                nothing is left to stop by.
            num_trials: trials of the search.
        """
        assert trial.result is not None, "the best trial has a result"
        overrides = [f"{name}={value}" for name, value in trial.overrides.items()]
        if refit and trial.result.best_epoch > 0:
            overrides.append(f"trainer.max_epochs={trial.result.best_epoch}")
        replaced = {override.partition("=")[0] for override in overrides}
        kept = [override for override in fixed if override.partition("=")[0] not in replaced]
        whole = [*kept, *overrides, *(["refit=true"] if refit else [])]
        command = f"{command_line('train')} {shlex.join(whole)}"
        return cls(metric, trial.result.value, trial.number, num_trials, overrides, command)

    def save(self, directory: Path) -> None:
        """Write ``best.yaml``; ``overrides`` there is what ``configs/tuned`` takes."""
        content = {
            "metric": self.metric,
            "value": self.value,
            "trial": self.trial,
            "num_trials": self.num_trials,
            "overrides": self.overrides,
            "command": self.command,
        }
        OmegaConf.save(OmegaConf.create(content), directory / BEST)
