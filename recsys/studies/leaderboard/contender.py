"""A model of a leaderboard with its study: trials that are stored are gone through again, then new ones are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recsys.errors import RecsysError
from recsys.studies.leaderboard.jobs import ModelFacts
from recsys.studies.leaderboard.schedule import Entrant
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.study import FinishedTrial, Study

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
        self.name = facts.name
        self.searchable = bool(facts.space.parameters)
        self._prepare, self._run = prepare, run
        self._study = Study(directory, facts.space, facts.identity, seed=seed, start=facts.start)
        self._gone_through = 0

    @property
    def entrant(self) -> Entrant:
        """What the schedule knows of it."""
        return Entrant(self.name, self.searchable, self.trial)

    def trial(self, limit_seconds: float) -> FinishedTrial:
        """The next trial: one that is stored, or a new one."""
        done = self._study.finished()
        if self._gone_through == len(done):
            self._prepare()
            try:
                self._study.run(len(done) + 1, lambda drawn: self._run(self.name, drawn, limit_seconds), _ignore)
            except RecsysError:  # of a first trial, which is stored like any other that failed
                if len(self._study.finished()) == len(done):
                    raise
            done = self._study.finished()
        self._gone_through += 1
        return done[self._gone_through - 1]


def _ignore(trial: FinishedTrial) -> None:
    """The schedule tells what there is to tell."""
