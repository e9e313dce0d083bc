from __future__ import annotations

import multiprocessing
import random
import sys
import time
from collections import Counter
from contextlib import closing

import optuna
import pandas as pd
import pytest
from omegaconf import OmegaConf

from recsys.errors import ModelError, RunError
from recsys.studies.tuning import slots
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.pruning import PrunedTrial, PruningListener
from recsys.studies.tuning.search_space import SearchSpace
from recsys.studies.tuning.study import Study
from recsys.studies.tuning.study_storage import ONLY_STUDY, StudyStorage
from tests.serving.conftest import new_database
from tests.studies.tuning import killed_study, shared_study

SPACE = SearchSpace.of(
    OmegaConf.create({"model": {"l2": {"low": 1.0, "high": 1000.0, "log": True}, "norm": {"choices": ["a", "b"]}}}),
    "toy",
)
IDENTITY = {"data": "abc", "metric": "valid/ndcg@10"}


def hill(overrides: dict[str, str], trial: object = None) -> TrialResult:
    """Highest at l2 = 50 and norm = b."""
    l2 = float(overrides["model.l2"])
    value = -abs(l2 - 50) / 1000 + (0.1 if overrides["model.norm"] == "b" else 0.0)
    return TrialResult(value, best_epoch=3, seconds=0.5)


def ignore(trial: FinishedTrial) -> None:
    pass


def drawn(study: Study) -> list[dict[str, str]]:
    return [trial.overrides for trial in study.finished()]


def test_the_best_trial_is_near_the_top_of_the_hill(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY)
    heard = []
    study.run(30, hill, heard.append)
    best = study.best()
    assert best.overrides["model.norm"] == "b"
    assert 20 < float(best.overrides["model.l2"]) < 120
    assert [trial.number for trial in heard] == list(range(1, 31))
    assert best.result == hill(best.overrides)


def test_the_lowest_is_best_where_it_is_asked_for(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY, direction="minimize")
    study.run(8, hill, ignore)
    assert study.best().result.value == min(trial.result.value for trial in study.finished())


def test_the_first_trial_has_the_settings_that_are_there(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY, start={"model.l2": 77.0})
    study.run(2, lambda overrides, trial: hill({"model.norm": "a", **overrides}), ignore)
    # What is not among them stays as it is configured.
    assert drawn(study)[0] == {"model.l2": "77.0"}
    assert set(drawn(study)[1]) == {"model.l2", "model.norm"}


@pytest.mark.parametrize("start", [{"model.l2": 77.0}, {}])
def test_a_first_trial_that_was_interrupted_is_repeated(tmp_path, start):
    def cut_off(overrides, trial):
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            Study(tmp_path, SPACE, IDENTITY, start=start).run(1, cut_off, ignore)
    study = Study(tmp_path, SPACE, IDENTITY, start=start)
    study.run(2, lambda overrides, trial: hill({"model.norm": "a", "model.l2": "1", **overrides}), ignore)
    assert drawn(study)[0] == {name: str(value) for name, value in start.items()}


def test_the_same_seed_draws_the_same_and_another_others(tmp_path):
    studies = [Study(tmp_path / str(place), SPACE, IDENTITY, seed=seed) for place, seed in enumerate((4, 4, 5))]
    for study in studies:
        study.run(4, hill, ignore)
    assert drawn(studies[0]) == drawn(studies[1])
    assert drawn(studies[0]) != drawn(studies[2])


def test_an_interrupted_study_goes_on_as_if_it_had_not_been(tmp_path):
    whole = Study(tmp_path / "whole", SPACE, IDENTITY)
    whole.run(14, hill, ignore)

    def cut_off(overrides, trial):
        if len(halved.finished()) == 12:
            raise KeyboardInterrupt
        return hill(overrides)

    halved = Study(tmp_path / "halved", SPACE, IDENTITY)
    with pytest.raises(KeyboardInterrupt):
        halved.run(14, cut_off, ignore)
    again = Study(tmp_path / "halved", SPACE, IDENTITY)
    again.run(14, hill, ignore)
    assert drawn(again) == drawn(whole)
    assert again.best() == whole.best()


def test_a_finished_study_runs_nothing_more(tmp_path):
    Study(tmp_path, SPACE, IDENTITY).run(2, hill, ignore)
    Study(tmp_path, SPACE, IDENTITY).run(2, lambda overrides, trial: pytest.fail("was run"), ignore)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"identity": {**IDENTITY, "data": "xyz"}}, "data"),
        ({"seed": 9}, "seed"),
        ({"direction": "minimize"}, "direction"),
        (
            {"space": SearchSpace.of(OmegaConf.create({"l2": {"low": 1, "high": 9}}), "toy")},
            "what is searched",
        ),
    ],
)
def test_another_search_in_the_same_place_is_refused(tmp_path, changed, named):
    Study(tmp_path, SPACE, IDENTITY).run(1, hill, ignore)
    arguments = {"space": SPACE, "identity": IDENTITY, **changed}
    if named == "direction":
        match = "direction"
    else:
        match = f"differs in {named}, so its trials cannot be compared"
    with pytest.raises(RunError, match=match):
        Study(tmp_path, **arguments)


def test_a_trial_that_is_refused_does_not_end_the_search(tmp_path):
    def fragile(overrides, trial):
        if overrides["model.norm"] == "a":
            raise ModelError("norm a cannot be fitted")
        return hill(overrides)

    study = Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "b", "model.l2": 50.0})
    study.run(6, fragile, ignore)
    failed = [trial for trial in study.finished() if trial.result is None]
    assert failed and all(trial.error == "norm a cannot be fitted" for trial in failed)
    assert study.best().overrides["model.norm"] == "b"
    table = pd.read_csv(tmp_path / "trials.csv")
    assert list(table["trial"]) == [1, 2, 3, 4, 5, 6]
    assert table["value"].isna().sum() == len(failed)
    assert set(table["error"].dropna()) == {"norm a cannot be fitted"}


def test_a_search_whose_first_trial_is_refused_ends_there(tmp_path):
    def refuse(overrides, trial):
        raise ModelError("no such thing")

    with pytest.raises(ModelError, match="no such thing"):
        Study(tmp_path, SPACE, IDENTITY).run(5, refuse, ignore)
    with pytest.raises(RunError, match="All trials .* failed; trials.csv there says why"):
        Study(tmp_path, SPACE, IDENTITY).best()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"A directory is required for the trials of the study.*Choose another output="):
        Study(tmp_path / "file", SPACE, IDENTITY)


def test_a_direction_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(RunError, match="direction must be maximize or minimize, but it is up"):
        Study(tmp_path, SPACE, IDENTITY, direction="up")


def test_without_optuna_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        RunError, match=r"Tuning needs Optuna, which is not installed. Run pip install 'recsys-framework\[tune\]'"
    ):
        Study(tmp_path, SPACE, IDENTITY)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes are forked here")
def test_a_process_that_is_killed_at_random_moments_comes_to_the_same_end(tmp_path):
    whole = drawn(killed_study.run(tmp_path / "whole", 13))
    moments = random.Random(0)
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        process = context.Process(target=killed_study.run, args=(tmp_path / "cut", 13))
        process.start()
        process.join(moments.uniform(0.05, 0.6))
        process.kill()
        process.join()
    assert drawn(killed_study.run(tmp_path / "cut", 13)) == whole


def test_a_result_that_is_no_number_is_a_failure(tmp_path):
    def diverge(overrides, trial):
        return TrialResult(float("nan"), 1, 0.1) if overrides["model.norm"] == "a" else hill(overrides)

    study = Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "b", "model.l2": 50.0})
    study.run(6, diverge, ignore)
    failed = [trial for trial in study.finished() if trial.result is None]
    assert failed and all("it is NaN" in trial.error for trial in failed)


def test_trials_that_are_worse_after_some_epochs_are_pruned(tmp_path):
    def learn(overrides, trial):
        epochs = PruningListener(trial, "metric")
        try:
            for epoch in range(1, 6):
                epochs(epoch, {"metric": hill(overrides).value + epoch / 1000})
        except PrunedTrial as pruned:
            return TrialResult(pruned.value, pruned.best_epoch, 0.1, pruned=True)
        return TrialResult(hill(overrides).value, 5, 0.5)

    pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1)
    study = Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "b", "model.l2": 50.0}, pruner=pruner)
    heard = []
    study.run(10, learn, heard.append)
    pruned = [trial for trial in heard if trial.result.pruned]
    assert pruned and not pruned[0].is_whole
    assert pruned[0].result.value == pytest.approx(hill(pruned[0].overrides).value + pruned[0].result.best_epoch / 1000)
    assert study.best().is_whole
    again = Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "b", "model.l2": 50.0}, pruner=pruner)
    assert again.finished() == heard
    assert list(pd.read_csv(tmp_path / "trials.csv")["pruned"]) == [trial.result.pruned for trial in heard]


@pytest.mark.parametrize(("crashes", "given_up"), [(2, False), (3, True)])
def test_settings_that_cost_three_workers_are_given_up(tmp_path, crashes, given_up):
    def crash(overrides, trial):
        raise MemoryError

    for _ in range(crashes):
        with pytest.raises(MemoryError):
            Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "a", "model.l2": 7.0}).run(2, crash, ignore)
    study = Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "a", "model.l2": 7.0})
    study.run(2, hill, ignore)
    first, second = study.finished()
    assert (first.overrides, first.attempts) == ({"model.l2": "7.0", "model.norm": "a"}, 3)
    assert (first.lost_workers, first.is_given_up) == (crashes, given_up)
    assert (first.result is None) is given_up
    assert second.result is not None


def test_settings_that_were_given_up_are_tried_again_with_more_retries(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY, retries=0)
    _leave_trial(study)
    study.run(2, hill, ignore)
    assert [trial.is_given_up for trial in study.finished()] == [True, False]
    again = Study(tmp_path, SPACE, IDENTITY, retries=1)
    again.run(2, hill, ignore)
    assert [(trial.is_given_up, trial.lost_workers) for trial in again.finished()] == [(False, 1), (False, 0)]


def test_who_finds_that_settings_are_to_be_given_up_tells_it_once(tmp_path):
    study, heard = Study(tmp_path, SPACE, IDENTITY, retries=0), []
    _leave_trial(study)
    study.run(2, hill, heard.append)
    assert [(trial.number, trial.is_given_up) for trial in heard] == [(1, True), (2, False)]
    assert "given up, as 1 worker ended without a result" in heard[0].line("ndcg", 2, None)


def test_where_all_were_given_up_it_is_said_how_they_are_tried_again(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY, retries=0)
    _leave_trial(study)
    study.run(1, hill, ignore)
    with pytest.raises(RunError, match="All trials of .*with retries=1 tries once more"):
        study.best()


def _leave_trial(study):
    """Begin a trial as a worker that was killed in it."""
    optuna.load_study(study_name=ONLY_STUDY, storage=study._storage).ask().set_user_attr(slots.WORKER, "gone")


def test_the_study_of_another_data_set_names_the_settings_that_differ(tmp_path):
    Study(tmp_path, SPACE, {"settings": {"seed": "1", "model": "x"}})
    with pytest.raises(RunError, match=r"differs in settings \(seed\), so its trials cannot be compared"):
        Study(tmp_path, SPACE, {"settings": {"seed": "2", "model": "x"}})


@pytest.mark.parametrize("name", ["shared.db", "shared.journal"])
def test_a_storage_that_is_lost_in_the_middle_is_one_message(tmp_path, name):
    def lose(overrides, trial):
        (tmp_path / name).unlink()
        return hill(overrides)

    place = StudyStorage.locate(str(tmp_path / name), tmp_path, "shared")
    with pytest.raises(RunError, match=rf"The storage .*{name} was there, but is lost: .*run the same command again"):
        Study(tmp_path / "a", SPACE, IDENTITY, storage=place).run(3, lose, ignore)


@pytest.fixture
def postgres_url(postgres_server):
    """A database without tables."""
    with new_database(postgres_server) as url:
        yield url


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes are forked here")
@pytest.mark.parametrize(
    ("kind", "sees_processes"), [("sqlite", True), ("journal", True), ("postgres", True), ("postgres", False)]
)
def test_of_two_workers_one_is_killed_and_no_trial_is_lost_or_run_twice(
    tmp_path, monkeypatch, request, kind, sees_processes
):
    if kind == "postgres":
        storage = request.getfixturevalue("postgres_url")
    else:
        storage = str(tmp_path / {"sqlite": "shared.db", "journal": "shared.journal"}[kind])
    if not sees_processes:  # as on two machines
        monkeypatch.setattr("recsys.studies.tuning.workers._machine", lambda: "")
    context, log = multiprocessing.get_context("fork"), tmp_path / "log"
    workers = [
        context.Process(
            target=shared_study.work, args=(storage, tmp_path / name, log), kwargs={"lost_after_seconds": 3}
        )
        for name in ("first", "second")
    ]
    for worker in workers:
        worker.start()
    killed = _kill_in_the_middle(workers[0], log)
    workers[1].join(300)
    assert workers[1].exitcode == 0
    begun = Counter(settings for what, settings, _ in shared_study.noted(log) if what == "begun")
    ended = Counter(settings for what, settings, _ in shared_study.noted(log) if what == "ended")
    with closing(shared_study.open_study(storage, tmp_path / "second")) as study:
        finished = study.finished()
    assert len(finished) == shared_study.TRIALS
    assert ended == {trial.overrides["l2"]: 1 for trial in finished}
    assert begun == {settings: 2 if settings == killed else 1 for settings in ended}
    assert {trial.overrides["l2"] for trial in finished if trial.attempts == 2} == {killed}
    assert list(pd.read_csv(tmp_path / "second" / "trials.csv")["trial"]) == list(range(1, shared_study.TRIALS + 1))


def _kill_in_the_middle(worker, log):
    """Kill a worker while it measures; returns the settings that it was about."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        own = [(what, settings) for what, settings, process in shared_study.noted(log) if process == worker.pid]
        if len(own) >= 3 and own[-1][0] == "begun":
            worker.kill()
            worker.join()
            last = [entry for entry in shared_study.noted(log) if entry[2] == worker.pid][-1]
            if last[0] == "begun":
                return last[1]
            pytest.fail("it was killed after its trial, not in the middle")
        time.sleep(0.01)
    raise AssertionError("the worker did not come so far")


def test_a_worker_with_other_settings_may_not_join(tmp_path):
    place = StudyStorage.locate(str(tmp_path / "shared.db"), tmp_path, "shared")
    Study(tmp_path / "a", SPACE, IDENTITY, storage=place)
    with pytest.raises(RunError, match=r"shared.db differs in data, .* study_name=, or delete that study"):
        Study(tmp_path / "b", SPACE, {**IDENTITY, "data": "xyz"}, storage=place)
    other = StudyStorage.locate(str(tmp_path / "shared.db"), tmp_path, "another")
    Study(tmp_path / "b", SPACE, {**IDENTITY, "data": "xyz"}, storage=other)
