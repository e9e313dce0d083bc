"""A model of a leaderboard with its study, which keeps its trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recsys.errors import RecsysError
from recsys.studies.leaderboard.entrant import Entrant, Role
from recsys.studies.leaderboard.jobs import ModelFacts
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.study import Study

#: Runs a trial of a model with these settings within so many seconds.
TrialRunner = Callable[[str, dict[str, str], float], TrialResult]


class Contender:
    """One model in the search.

    Args:
        facts: of the model, which fits the data.
        directory: of its study, the same as ``scripts/tune.py`` makes with ``output=``.
        seed: of the draws.
        prepare: called before each new trial; what it takes is not part of the trial's time.
        run: runs a new trial.

    Raises:
        RunError: Optuna is not installed, or the directory has a study of other data or settings.
    """

    def __init__(
        self, facts: ModelFacts, directory: Path, seed: int, prepare: Callable[[], None], run: TrialRunner
    ) -> None:
        self.facts = facts
        self._prepare, self._run = prepare, run
        self._study = Study(directory, facts.space, facts.identity, seed=seed, start=facts.start)

    def entrant(self, role: Role, tested: bool) -> Entrant:
        """What the schedule knows of it, with the trials that are stored.

        Args:
            role: in the search.
            tested: whether its best settings are tested already.
        """
        facts, stored = self.facts, tuple(self._study.finished())
        return Entrant(facts.name, bool(facts.space.parameters), self.trial, facts.order, role, stored, tested)

    def trial(self, limit_seconds: float) -> FinishedTrial:
        """Run a new trial."""
        before = len(self._study.finished())
        self._prepare()
        try:
            self._study.run(before + 1, lambda drawn, trial: self._run(self.facts.name, drawn, limit_seconds), _ignore)
        except RecsysError:  # of a first trial, which is stored like any other that failed
            if len(self._study.finished()) == before:
                raise
        return self._study.finished()[-1]


def _ignore(trial: FinishedTrial) -> None:
    """The schedule tells what there is to tell."""
