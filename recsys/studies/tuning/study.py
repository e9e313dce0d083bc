"""A hyper-parameter search whose trials are stored, for any number of workers; it can be gone on with.

Alone, a worker gives the same trials for the same seed, interrupted or not. Of several, each draws from what it sees of
the others' results, each trial by a seed of its own.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from recsys.cli.output_directory import make_output_directory
from recsys.errors import EvaluationError, RecsysError, RunError
from recsys.studies.tuning import slots as names
from recsys.studies.tuning.finished_trial import TRIALS, FinishedTrial, given_up_message, write_trials
from recsys.studies.tuning.identity import check_identity
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.search_space import SearchSpace
from recsys.studies.tuning.slots import Slot, slots
from recsys.studies.tuning.study_storage import StudyStorage
from recsys.studies.tuning.workers import Workers

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna import Trial

Direction = Literal["maximize", "minimize"]

#: Computes the result of overrides; the trial receives the values of epochs.
Measure = Callable[[dict[str, str], "Trial"], TrialResult]

#: Trials with random settings before the sampler models the results.
_RANDOM_TRIALS = 10

#: How often a worker that has nothing left to do looks whether the others have finished.
_LOOK_SECONDS = 1.0


class Study:
    """Searches for the best settings with Optuna's tree-structured Parzen estimator.

    The first trial has the current settings of the configuration. Each trial has its own seed, so that an interrupted
    study gives the same result as an uninterrupted one. Source: Bergstra et al., Algorithms for
    Hyper-Parameter Optimization, NIPS 2011; Akiba et al., Optuna, KDD 2019.

    Args:
        directory: where the table of trials goes and, without ``storage``, the study; a study that is there is gone on
            with.
        space: the search space.
        identity: everything that must be equal for trials to be comparable (data, split, metric, fixed settings), as
            JSON types.
        direction: whether to maximise or to minimise.
        seed: seed of the draws.
        start: values of the first trial for some or all of the settings; the others keep those of the configuration.
            None: the first trial is drawn like the others.
        storage: where the trials are kept; None: in ``directory``.
        pruner: of Optuna, which stops trials by their epochs; None: no trial is stopped.
        retries: how often a trial is begun again whose worker was lost. Two workers that are killed at once, as by a
            reboot, may both have been about the same settings, one after the other: so 1 would give those up.
        lost_after_seconds: how long a worker on another machine may give no sign before it is taken for lost.

    Raises:
        RunError: Optuna is not installed, the direction is unknown, the directory cannot be made, the storage cannot be
            used, or it has a study of another identity.
    """

    def __init__(
        self,
        directory: Path,
        space: SearchSpace,
        identity: Mapping[str, Any],
        direction: Direction = "maximize",
        seed: int = 0,
        start: Mapping[str, Any] | None = None,
        storage: StudyStorage | None = None,
        pruner: Any = None,
        retries: int = 2,
        lost_after_seconds: float = 300,
    ) -> None:
        if direction not in ("maximize", "minimize"):
            raise RunError(f"direction must be maximize or minimize, but it is {direction}. Choose one.")
        self._optuna = _optuna()
        self._directory, self._space, self._seed, self._start = directory, space, seed, start
        self._sign = 1 if direction == "maximize" else -1
        self._retries = retries
        make_output_directory(directory, "trials of the study", "output=")
        self._place = place = storage or StudyStorage.locate(None, directory, "")
        # As JSON types, which it is compared in.
        whole = json.loads(json.dumps({**identity, "space": repr(space), "direction": direction, "seed": seed}))
        with place.errors(self._optuna):
            self._study, created = self._opened(place, direction, pruner or self._optuna.pruners.NopPruner())
            check_identity(self._study, whole, place.place, created)
            self._workers = Workers(self._study, lost_after_seconds)
            if start is not None and not self._slots():
                self._study.enqueue_trial(dict(start), user_attrs={names.START: True})

    def run(self, trials: int, measure: Measure, listener: Callable[[FinishedTrial], None]) -> None:
        """Run trials until there are ``trials`` in all, whoever runs them; ``trials.csv`` is written after each.

        A trial whose settings are refused (a :class:`~recsys.errors.RecsysError`) counts as failed; the search goes on.
        Where others still run the last trials, this worker waits, and takes over those of one that is lost.

        Args:
            trials: number of finished trials, including those of earlier runs of the study.
            measure: computes the result of overrides.
            listener: called with each trial that this worker has finished, or has found to be given up.

        Raises:
            RunError: all trials failed, or the storage is lost.
            RecsysError: the very first trial failed, so the others probably would too.
        """
        with self._place.errors(self._optuna), self._workers.present():
            while True:
                self._repeat_lost(listener)
                there = self._slots()
                if sum(slot.is_finished for slot in there) >= trials:
                    break
                if len(there) >= trials and not any(slot.is_waiting for slot in there):
                    time.sleep(_LOOK_SECONDS)
                elif (claimed := self._claim(trials)) is not None:
                    self._measure(*claimed, measure, listener)
        write_trials(self.finished(), self._directory)

    def close(self) -> None:
        """Close what connections to a database there are; they are made again where the study is used again."""
        if isinstance(self._storage, self._optuna.storages.RDBStorage):
            self._storage.remove_session()
            self._storage.engine.dispose()

    def finished(self) -> list[FinishedTrial]:
        """All finished trials in their order, including failed ones, of all workers."""
        return [_finished(slot, place) for place, slot in enumerate(self._slots(), start=1) if slot.is_finished]

    def others(self) -> int:
        """Number of other workers that are at it."""
        with self._place.errors(self._optuna):
            return len(self._workers.others())

    def best(self) -> FinishedTrial:
        """The best trial that was not pruned; of equal ones the first.

        Raises:
            RunError: no trial has a result.
        """
        best = self.best_so_far()
        if best is None:
            lost = given_up_message(self._directory)
            raise RunError(
                f"All trials of {self._directory} failed; {TRIALS} there says why. Narrow the search, or run "
                f"more trials.{f' {lost}' if lost else ''}"
            )
        return best

    def best_so_far(self) -> FinishedTrial | None:
        """As :meth:`best`; None while no trial has a result."""
        done = [trial for trial in self.finished() if trial.is_whole]
        return max(done, key=lambda trial: self._sign * trial.result.value if trial.result else 0.0, default=None)

    def _opened(self, place: StudyStorage, direction: str, pruner: Any) -> tuple[Any, bool]:
        """The study, and whether it is new."""
        self._storage = place.open(self._optuna)
        options = {"study_name": place.study, "storage": self._storage, "pruner": pruner}
        try:
            return self._optuna.create_study(**options, direction=direction), True
        except self._optuna.exceptions.DuplicatedStudyError:
            return self._optuna.load_study(**options), False

    def _slots(self) -> list[Slot]:
        with self._place.errors(self._optuna):
            return slots(self._study.get_trials(deepcopy=False), self._retries)

    def _repeat_lost(self, listener: Callable[[FinishedTrial], None]) -> None:
        """Mark trials of lost workers as failed; queue them again, or tell the listener that they are given up.

        Whoever stops in between leaves the second half to the others, and whoever queues a trial that another worker
        queues as well does no harm: see :mod:`recsys.studies.tuning.slots`.
        """
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=(state.RUNNING,)):
            if self._has_lost_worker(trial):
                try:
                    self._study.tell(trial.number, state=state.FAIL)
                except (ValueError, RuntimeError):  # has just ended, or another worker was sooner
                    continue
                self._show(int(trial.user_attrs.get(names.ORIGIN, trial.number)), listener)
        for slot in self._slots():
            if slot.is_to_be_repeated:
                parameters, noted = slot.next_attempt()
                self._study.enqueue_trial(parameters, user_attrs=noted)

    def _has_lost_worker(self, trial: Any) -> bool:
        worker = trial.user_attrs.get(names.WORKER)
        if worker is not None:
            return worker == self._workers.name or self._workers.is_lost(worker)  # it is not about one itself now
        # Somebody has just taken it and not said so yet, or never will.
        return not self._workers.others() or self._workers.is_unchanged(f"trial {trial.number}", "nobody's")

    def _claim(self, trials: int) -> tuple[Any, int, Slot] | None:
        """A trial of this worker, its place from 0 and its slot; None where it was one too many, and is given back."""
        trial = self._study.ask()
        there = self._slots()
        place = next((place for place, slot in enumerate(there) if slot.last.number == trial.number), None)
        # A fresh trial may be one too many; a queued one is to be measured, wherever it stands.
        if place is None or (place >= trials and not there[place].last.system_attrs.get("fixed_params")):
            trial.set_user_attr(names.SURPLUS, True)
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            return None
        trial.set_user_attr(names.WORKER, self._workers.name)
        return trial, place, there[place]

    def _measure(
        self, trial: Any, place: int, slot: Slot, measure: Measure, listener: Callable[[FinishedTrial], None]
    ) -> None:
        digest = hashlib.sha256(f"{self._seed} {place}".encode()).digest()
        self._study.sampler = self._optuna.samplers.TPESampler(
            seed=int.from_bytes(digest[:4], "little"), n_startup_trials=_RANDOM_TRIALS
        )
        begin = time.perf_counter()
        start = self._start if slot.last.user_attrs.get(names.START, False) else None
        try:
            overrides = self._space.draw(trial, None if start is None else start.keys())
            trial.set_user_attr(names.OVERRIDES, overrides)
            error = self._attempt(trial, overrides, measure, begin)
        except self._optuna.exceptions.UpdateFinishedTrialError:
            return  # this worker had given no sign for too long, and the trial was begun again elsewhere
        except BaseException as fatal:
            with suppress(Exception):  # the storage may be away: then it is seen that no signs come
                if isinstance(fatal, KeyboardInterrupt):
                    trial.set_user_attr(names.INTERRUPTED, True)
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            raise
        if error is not None and place == 0:
            write_trials(self.finished(), self._directory)
            raise error
        self._show(slot.origin, listener)

    def _attempt(self, trial: Any, overrides: dict[str, str], measure: Measure, begin: float) -> RecsysError | None:
        """Measure, and store what came out; the error where the settings were refused."""
        state = self._optuna.trial.TrialState
        try:
            result = measure(overrides, trial)
            if math.isnan(result.value):
                raise EvaluationError("the metric must be a number, but it is NaN: the training diverged, perhaps")
        except RecsysError as error:
            self._tell(trial, state.FAIL, None, {names.ERROR: str(error)}, begin)
            return error
        noted = {name: getattr(result, name) for name in ("best_epoch", "seconds", "cut_short")}
        if result.pruned:  # Optuna would take the last value, not the best
            self._tell(trial, state.PRUNED, None, noted | {"pruned_value": result.value}, begin)
        else:
            self._tell(trial, state.COMPLETE, result.value, noted, begin)
        return None

    def _tell(self, trial: Any, state: Any, value: float | None, noted: Mapping[str, Any], begin: float) -> None:
        trial.set_user_attr("wall_seconds", time.perf_counter() - begin)
        for name, content in noted.items():
            trial.set_user_attr(name, content)
        try:
            self._study.tell(trial, value, state)
        except ValueError as error:  # as above, in the moment between
            raise self._optuna.exceptions.UpdateFinishedTrialError(str(error)) from error

    def _show(self, origin: int, listener: Callable[[FinishedTrial], None]) -> None:
        """Write the table, and call the listener with the trial, if it is finished."""
        write_trials(self.finished(), self._directory)
        for place, slot in enumerate(self._slots(), start=1):
            if slot.origin == origin and slot.is_finished:
                listener(_finished(slot, place))


def _finished(slot: Slot, place: int) -> FinishedTrial:
    """A finished slot as a trial.

    Args:
        slot: the slot.
        place: its number, from 1.
    """
    trial = slot.last
    noted, state = trial.user_attrs, trial.state.name
    wall, overrides = noted.get("wall_seconds", 0.0), noted.get(names.OVERRIDES, {})
    counted = (wall, len(slot.attempts), slot.losses)
    if state == "FAIL":
        return FinishedTrial(place, overrides, None, slot.error, *counted, is_given_up=slot.is_given_up)
    value = float(noted["pruned_value"] if state == "PRUNED" else trial.values[0])
    result = TrialResult(
        value, noted["best_epoch"], noted["seconds"], noted.get("cut_short", False), pruned=state == "PRUNED"
    )
    return FinishedTrial(place, overrides, result, "", *counted)


def _optuna() -> ModuleType:
    try:
        import optuna
    except ImportError as error:
        raise RunError(
            "Tuning needs Optuna, which is not installed. Run pip install 'recsys-framework[tune]'."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
