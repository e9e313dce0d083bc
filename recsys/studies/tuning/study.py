"""A hyper-parameter search that is stored on disk, can be resumed, and is reproducible by its seed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pandas as pd

from recsys.errors import RecsysError, RunError
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.search_space import SearchSpace

#: The trials, in SQLite: each is stored whole or not at all, whenever the process is stopped.
STORE = "study.db"

#: The trials of a study that version 0.1 began; it is gone on with as it is.
JOURNAL = "study.journal"

TRIALS = "trials.csv"

Direction = Literal["maximize", "minimize"]

#: Trials with random settings before the sampler models the results.
_RANDOM_TRIALS = 10


@dataclass(frozen=True, slots=True)
class FinishedTrial:
    """A finished trial with its result.

    Args:
        number: number among the finished trials, from 1.
        overrides: settings as written on the command line.
        result: value, best epoch and time; None if the trial failed.
        error: why it failed; empty if it did not.
        wall_seconds: all that the trial took, failed or not; 0 if it is not known.
    """

    number: int
    overrides: dict[str, str]
    result: TrialResult | None
    error: str = ""
    wall_seconds: float = field(default=0.0, compare=False)

    def line(self, metric: str, trials: int, best: FinishedTrial) -> str:
        """A line of text: its value, the best so far, time, epoch and settings; or why it failed."""
        found = f"failed: {self.error}"
        if self.result is not None and best.result is not None:
            found = f"{self.result.value:.4f} (best {best.result.value:.4f}, trial {best.number})"
            found += f"  {self.result.seconds:.1f} s" + (
                f", epoch {self.result.best_epoch}" * (self.result.best_epoch > 0)
            )
        settings = " ".join(f"{name}={value}" for name, value in self.overrides.items())
        return f"trial {self.number:>{len(str(trials))}}/{trials}  {metric} {found}  {settings}"


class Study:
    """Searches for the best settings with Optuna's tree-structured Parzen estimator.

    The first trial has the current settings of the configuration. Each trial has its own seed, so that an interrupted
    study gives the same result as an uninterrupted one. Source: Bergstra et al., Algorithms for
    Hyper-Parameter Optimization, NIPS 2011; Akiba et al., Optuna, KDD 2019.

    Args:
        directory: directory of the study; an existing study is resumed.
        space: the search space.
        identity: everything that must be equal for trials to be comparable (data, split, metric, fixed settings), as
            JSON types.
        direction: whether to maximise or to minimise.
        seed: seed of the draws.
        start: values of the first trial for some or all of the settings; the others keep those of the configuration.
            None: the first trial is drawn like the others.

    Raises:
        RunError: Optuna is not installed, the direction is unknown, or ``directory`` has a study of another identity.
    """

    def __init__(
        self,
        directory: Path,
        space: SearchSpace,
        identity: Mapping[str, Any],
        direction: Direction = "maximize",
        seed: int = 0,
        start: Mapping[str, Any] | None = None,
    ) -> None:
        if direction not in ("maximize", "minimize"):
            raise RunError(f"direction must be maximize or minimize, but it is {direction}. Choose one.")
        self._optuna = _optuna()
        self._directory, self._space, self._seed, self._start = directory, space, seed, start
        self._sign = 1 if direction == "maximize" else -1
        directory.mkdir(parents=True, exist_ok=True)
        self._study = self._optuna.create_study(
            storage=_storage(self._optuna, directory), study_name="recsys", direction=direction, load_if_exists=True
        )
        # As JSON types, which it is compared in.
        whole = {**identity, "space": repr(space), "direction": direction, "seed": seed}
        self._check_identity(json.loads(json.dumps(whole)))
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=(state.RUNNING,)):
            self._study.tell(trial.number, state=state.FAIL)  # was interrupted
        # Also after an interruption of the very first trial, which is then repeated.
        waiting = self._study.get_trials(deepcopy=False, states=(state.WAITING,))
        if start and not waiting and not self.finished():
            self._study.enqueue_trial(dict(start))

    def run(
        self, trials: int, objective: Callable[[dict[str, str]], TrialResult], listener: Callable[[FinishedTrial], None]
    ) -> None:
        """Run trials until there are ``trials`` in all; ``trials.csv`` is written after each.

        A trial whose settings are refused (a :class:`~recsys.errors.RecsysError`) counts as failed; the search goes on.

        Args:
            trials: number of finished trials, including those of earlier runs of the study.
            objective: computes the result of overrides.
            listener: called with each finished trial.

        Raises:
            RunError: all trials failed.
            RecsysError: the very first trial failed, so the others probably would too.
        """
        optuna = self._optuna
        while len(self.finished()) < trials:
            count = len(self.finished())
            digest = hashlib.sha256(f"{self._seed} {count}".encode()).digest()
            self._study.sampler = optuna.samplers.TPESampler(
                seed=int.from_bytes(digest[:4], "little"), n_startup_trials=_RANDOM_TRIALS
            )
            begin = time.perf_counter()
            trial = self._study.ask()
            overrides = self._space.draw(trial, None if count > 0 or self._start is None else self._start.keys())
            trial.set_user_attr("overrides", overrides)
            try:
                result = objective(overrides)
            except RecsysError as error:
                trial.set_user_attr("wall_seconds", time.perf_counter() - begin)
                trial.set_user_attr("error", str(error))
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                if count == 0:
                    raise
            else:
                trial.set_user_attr("wall_seconds", time.perf_counter() - begin)
                trial.set_user_attr("best_epoch", result.best_epoch)
                trial.set_user_attr("seconds", result.seconds)
                trial.set_user_attr("cut_short", result.cut_short)
                self._study.tell(trial, result.value)
            self._write_trials()
            listener(self.finished()[-1])

    def finished(self) -> list[FinishedTrial]:
        """All finished trials in their order, including failed ones."""
        trials: list[FinishedTrial] = []
        for trial in self._study.get_trials(deepcopy=False):
            noted, number = trial.user_attrs, len(trials) + 1
            wall = noted.get("wall_seconds", 0.0)
            if trial.value is not None:
                cut_short = noted.get("cut_short", False)
                result = TrialResult(trial.value, noted["best_epoch"], noted["seconds"], cut_short)
                trials.append(FinishedTrial(number, noted["overrides"], result, wall_seconds=wall))
            elif "error" in noted:
                trials.append(FinishedTrial(number, noted["overrides"], None, noted["error"], wall))
        return trials

    def best(self) -> FinishedTrial:
        """The best trial; of equal ones the first.

        Raises:
            RunError: no trial has a result.
        """
        done = [trial for trial in self.finished() if trial.result is not None]
        if not done:
            raise RunError(
                f"All trials of {self._directory} failed; {TRIALS} there says why. Narrow the search, or run "
                "more trials."
            )
        return max(done, key=lambda trial: self._sign * trial.result.value if trial.result else 0.0)

    def _check_identity(self, identity: dict[str, Any]) -> None:
        """Refuse to mix trials of different data or settings in one study."""
        known = self._study.user_attrs.get("identity")
        if known is None:
            self._study.set_user_attr("identity", identity)
        elif known != identity:
            differing = sorted(name for name in known.keys() | identity.keys() if known.get(name) != identity.get(name))
            raise RunError(
                f"The study in {self._directory} is of another {', '.join(differing)}, so its trials cannot be "
                "compared with new ones. Give another output=, or delete that directory."
            )

    def _write_trials(self) -> None:
        rows = [
            {
                "trial": trial.number,
                "value": trial.result.value if trial.result else None,
                "best_epoch": trial.result.best_epoch if trial.result else None,
                "seconds": round(trial.result.seconds, 3) if trial.result else None,
                **trial.overrides,
                "error": trial.error,
            }
            for trial in self.finished()
        ]
        if rows:
            partial = self._directory / f"{TRIALS}.partial"
            pd.DataFrame(rows).to_csv(partial, index=False)
            os.replace(partial, self._directory / TRIALS)


def _storage(optuna: ModuleType, directory: Path) -> Any:
    """Where the trials of a study are kept."""
    if (directory / JOURNAL).is_file():
        backend = optuna.storages.journal.JournalFileBackend(str(directory / JOURNAL))
        return optuna.storages.JournalStorage(backend)
    from sqlalchemy.engine import URL

    return optuna.storages.RDBStorage(URL.create("sqlite", database=str(directory / STORE)).render_as_string())


def _optuna() -> ModuleType:
    try:
        import optuna
    except ImportError as error:
        raise RunError(
            "Tuning needs Optuna, which is not installed. Run pip install 'recsys-framework[tune]'."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
