"""The best settings of a search, with the command that trains with them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf

from recsys.cli.commands import command_line
from recsys.cli.whole_files import shared_file
from recsys.studies.tuning.finished_trial import FinishedTrial

BEST = "best.yaml"


@dataclass(frozen=True, slots=True)
class BestSettings:
    """The best settings of a search.

    Args:
        metric: the optimised metric.
        value: its value in the best trial, on validation.
        trial: number of the best trial.
        num_trials: number of trials of the search.
        overrides: command-line overrides of the best trial, without those that all trials share.
        arguments: of the command that trains with these settings.
    """

    metric: str
    value: float
    trial: int
    num_trials: int
    overrides: list[str]
    arguments: list[str]

    @property
    def command(self) -> str:
        """The command that trains with these settings."""
        return f"{command_line('train')} {shlex.join(self.arguments)}"

    @classmethod
    def of(cls, trial: FinishedTrial, metric: str, fixed: Sequence[str], refit: bool, num_trials: int) -> BestSettings:
        """The settings of ``trial``, which has a result.

        Args:
            trial: the best trial.
            metric: the optimised metric.
            fixed: overrides that all trials share.
            refit: whether to train on validation as well. A model with epochs is then trained for the number that was
                best in the trial, so that none need be chosen anew.
            num_trials: number of trials of the search.
        """
        assert trial.result is not None, "the best trial has a result"
        overrides = [f"{name}={value}" for name, value in trial.overrides.items()]
        if refit and trial.result.best_epoch > 0:
            overrides.append(f"refit_epochs={trial.result.best_epoch}")
        replaced = {override.partition("=")[0] for override in overrides}
        kept = [override for override in fixed if override.partition("=")[0] not in replaced]
        whole = [*kept, *overrides, *(["refit=true"] if refit else [])]
        return cls(metric, trial.result.value, trial.number, num_trials, overrides, whole)

    def save(self, directory: Path) -> None:
        """Write ``best.yaml``; its ``overrides`` can be copied to ``configs/tuned``."""
        content = {
            "metric": self.metric,
            "value": self.value,
            "trial": self.trial,
            "num_trials": self.num_trials,
            "overrides": self.overrides,
            "command": self.command,
        }
        with shared_file(directory / BEST) as partial:
            OmegaConf.save(OmegaConf.create(content), partial)


def command_of_best(directory: Path) -> str:
    """The command that trains with the best settings of a directory, which :meth:`BestSettings.save` has written."""
    return str(OmegaConf.load(directory / BEST).command)
