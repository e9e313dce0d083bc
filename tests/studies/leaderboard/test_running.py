from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from recsys.cli.console import PlainConsole
from recsys.errors import RunError
from recsys.studies.comparison.comparing import Settings
from recsys.studies.leaderboard import jobs, running
from recsys.studies.leaderboard.budget import Budget
from recsys.studies.leaderboard.progress_lines import ProgressLines
from recsys.studies.leaderboard.result_directory import ResultDirectory
from recsys.studies.leaderboard.running import LeaderboardSettings, run_leaderboard
from tests.scripts.running import Scripts
from tests.studies.leaderboard.inline_worker import InlineWorker
from tests.studies.small_study import SMALL


@pytest.fixture
def settings(tmp_path, monkeypatch, capsys):
    jobs._objective.cache_clear()
    monkeypatch.setattr(InlineWorker, "train", Scripts(tmp_path, monkeypatch, capsys), raising=False)
    monkeypatch.setattr(InlineWorker, "calls", [])
    monkeypatch.setattr(running, "Worker", InlineWorker)
    shared = (SMALL[0], *SMALL[2:-1], "evaluation.bootstrap_samples=50", f"paths.prepared_dir={tmp_path}/prepared")
    comparison = Settings(baseline="popularity", num_samples=50)
    return LeaderboardSettings(shared, ("popularity", "ease"), 2, 0, ("ease",), comparison)


def run(directory, settings):
    console = PlainConsole(file=io.StringIO(), width=80)
    budget = Budget(60 * directory.minutes, directory.spent_seconds)
    return run_leaderboard(directory, settings, budget, ProgressLines(console, 60)), console.file.getvalue()


def values(board):
    return {m.name: [trial.result.value for trial in m.standing.trials] for m in board.best}


def test_one_that_was_interrupted_does_nothing_twice(tmp_path, settings, monkeypatch):
    whole, _ = run(ResultDirectory.create(tmp_path / "whole", "toy", [], 10.0), settings)
    InlineWorker.calls.clear()
    trial, count = jobs.run_trial, []

    def cut_off(*arguments):
        count.append(1)
        if len(count) in (1, 4):
            raise KeyboardInterrupt
        return trial(*arguments)

    monkeypatch.setattr(running, "run_trial", cut_off)
    directory = ResultDirectory.create(tmp_path / "cut", "toy", [], 10.0)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(directory, settings)
        directory.close()
        directory = ResultDirectory.open(directory.path)
    again, said = run(directory, settings)
    assert values(again) == values(whole)
    assert {name: len(trials) for name, trials in values(again).items()} == {"popularity": 2, "ease": 2}
    assert [m.settings.overrides for m in again.best] == [m.settings.overrides for m in whole.best]
    assert again.comparison.accuracy == whole.comparison.accuracy
    assert len(count) == 4 + 2  # four trials, two of which were begun twice
    assert directory.spent_seconds > whole.directory.spent_seconds / 2
    assert "round 1      ease" in said and "tested       ease" in said
    text = directory.report.read_text(encoding="utf-8")
    for part in ("# Which model for synthetic?", "## Ranking", "## Which is better", "## Costs", "## To go on"):
        assert part in text
    assert f"output={directory.path}/tuning/ease trials=32" in text
    assert directory.report.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    # What is tested is not tested again.
    InlineWorker.calls.clear()
    run(replace(directory, finished=False), settings)
    assert InlineWorker.calls == ["look"]


def test_the_time_of_a_process_that_is_killed_counts(tmp_path, settings, monkeypatch):
    class Killed(Exception):
        """Nothing after this runs; the state on disk is what another process finds."""

    directory = ResultDirectory.create(tmp_path, "toy", [], 10.0)
    kept = []

    class Ticking(InlineWorker):
        def call(self, function, *arguments, **options):
            now[0] += 7.0
            self._tick()
            kept.append(json.loads((directory.path / "leaderboard.json").read_text())["spent_seconds"])
            raise Killed

    now = [100.0]
    monkeypatch.setattr(running, "Worker", Ticking)
    budget = Budget(600.0, clock=lambda: now[0])
    with pytest.raises(Killed):
        run_leaderboard(directory, settings, budget, ProgressLines(PlainConsole(file=io.StringIO()), 60))
    assert kept == [7.0]


def test_one_model_is_no_ranking_and_the_reasons_of_the_others_are_told(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(jobs, "available_memory", lambda: 1000)
    directory = ResultDirectory.create(tmp_path, "toy", [], 10.0)
    with pytest.raises(RunError, match=r"that were tested, but there are 1\.[^$]*ease: Its fit holds .* are free"):
        run(directory, settings)
