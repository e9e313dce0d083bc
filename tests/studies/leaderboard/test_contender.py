from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from recsys.errors import ModelError, RunError
from recsys.studies.leaderboard.contender import Contender
from recsys.studies.leaderboard.jobs import ModelFacts
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.search_space import SearchSpace

SPACE = SearchSpace.of(OmegaConf.create({"model": {"l2": {"low": 1.0, "high": 9.0}}}), "toy")
FACTS = ModelFacts("toy", space=SPACE, start={"model.l2": 5.0}, identity={"data": "abc"})


class Made:
    """Runs trials at once and keeps what it was asked; a trial of a name in ``refuse`` is refused."""

    def __init__(self, refuse=()):
        self.asked, self.prepared, self.refuse = [], 0, refuse

    def prepare(self):
        self.prepared += 1

    def run(self, name, drawn, limit_seconds):
        self.asked.append((name, drawn["model.l2"] if drawn else None, limit_seconds))
        if len(self.asked) in self.refuse:
            raise ModelError("refused")
        return TrialResult(0.1 * len(self.asked), 0, 1.0)


def contender(path, made, facts=FACTS):
    return Contender(facts, path, 0, made.prepare, made.run)


def test_the_first_trial_has_the_defaults_and_each_its_limit(tmp_path):
    made = Made()
    entrant = contender(tmp_path, made).entrant("", False)
    trials = [entrant.trial(limit) for limit in (3.0, 4.0)]
    assert made.asked[0] == ("toy", "5.0", 3.0) and made.asked[1][2] == 4.0
    assert [trial.result.value for trial in trials] == [0.1, 0.2]
    assert made.prepared == 2


def test_trials_that_are_stored_are_not_run_again(tmp_path):
    first = contender(tmp_path, Made())
    before = [first.trial(1.0) for _ in range(3)]
    made = Made()
    entrant = contender(tmp_path, made).entrant("strong", True)
    assert list(entrant.stored) == before and (made.asked, made.prepared) == ([], 0)
    assert (entrant.role, entrant.tested) == ("strong", True)
    assert entrant.trial(2.0).number == 4 and len(made.asked) == 1


def test_a_first_trial_that_fails_is_a_trial_and_is_stored(tmp_path):
    failed = contender(tmp_path, Made(refuse=[1])).trial(1.0)
    assert (failed.result, failed.error, failed.number) == (None, "refused", 1)
    (stored,) = contender(tmp_path, Made()).entrant("", False).stored
    assert stored.error == "refused"


def test_a_study_of_other_data_is_refused(tmp_path):
    contender(tmp_path, Made()).trial(1.0)
    with pytest.raises(RunError, match="differs in data"):
        contender(tmp_path, Made(), ModelFacts("toy", space=SPACE, identity={"data": "xyz"}))


def test_a_model_with_nothing_to_search_has_its_defaults(tmp_path):
    made = Made()
    entrant = contender(tmp_path, made, ModelFacts("toy")).entrant("", False)
    assert not entrant.searchable
    assert entrant.trial(1.0).overrides == {}
