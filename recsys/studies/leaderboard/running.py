"""Runs a leaderboard from the look at the data to the page, and goes on with one that was interrupted."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.cli.commands import command_line
from recsys.errors import RunError
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.leaderboard.contender import Contender
from recsys.studies.leaderboard.final_runs import BestOfModel, best_of_models, final_runs
from recsys.studies.leaderboard.jobs import DataFacts, load, look, run_trial
from recsys.studies.leaderboard.progress_lines import ProgressLines
from recsys.studies.leaderboard.report import Leaderboard, write_report
from recsys.studies.leaderboard.result_directory import TUNING, FinalRun, ResultDirectory
from recsys.studies.leaderboard.schedule import Standing, search
from recsys.studies.leaderboard.worker import Worker
from recsys.studies.tuning.objective import TrialResult


@dataclass(frozen=True, slots=True)
class LeaderboardSettings:
    """What is asked of a leaderboard.

    Args:
        shared: overrides of all trainings.
        models: choices of the group ``model`` that may take part.
        trials: of each model at most.
        sampler_seed: of the draws.
        comparison: the tested metric, its cut-off and the baseline, by the name of its model.
    """

    shared: tuple[str, ...]
    models: tuple[str, ...]
    trials: int
    sampler_seed: int
    comparison: Settings

    @property
    def metric(self) -> str:
        """What settings are chosen by."""
        return f"valid/{self.comparison.metric}@{self.comparison.k}"


def run_leaderboard(directory: ResultDirectory, settings: LeaderboardSettings, lines: ProgressLines) -> Leaderboard:
    """Search, test and write the page; what is done already in ``directory`` is not done again.

    Args:
        directory: keeps what is done.
        settings: what is asked.
        lines: says how it goes.

    Raises:
        RunError: fewer than two models could be tested.
        RecsysError: the data or the split are refused.
    """
    with lines.shown():
        data, standings = _searched(directory, settings, lines)
        best = best_of_models(standings, settings.metric, data.overrides)
        tested = _tested(directory, best, data, lines)
    left_out = {model.name: model.unfit for model in data.models if model.unfit}
    left_out |= {standing.entrant.name: _why_not(standing) for standing in standings if standing.best is None}
    left_out |= {name: f"Its last fit or test failed. {run.error}" for name, run in tested.items() if run.error}
    ranked = [model for model in best if tested[model.name].run]
    if len(ranked) < 2:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in left_out.items())
        raise RunError(
            f"A ranking needs at least two models that were tested, but there are {len(ranked)}. Give more minutes or "
            f"other models.{reasons}"
        )
    wanted = settings.comparison.baseline
    names = [model.name for model in ranked]
    baseline = tested[wanted if wanted in names else names[-1]].run
    runs = open_runs([Path(tested[name].run) for name in names])
    board = Leaderboard(
        data=data,
        command=f"{command_line('benchmark_models')} {shlex.join(directory.overrides)}".strip(),
        directory=directory,
        comparison=compare(runs, replace(settings.comparison, baseline=baseline)),
        best=ranked,
        tested=tested,
        left_out=left_out,
        metric=settings.metric,
        search_seconds=sum(standing.spent for standing in standings),
    )
    write_report(board)
    directory.finish()
    return board


def _searched(
    directory: ResultDirectory, settings: LeaderboardSettings, lines: ProgressLines
) -> tuple[DataFacts, list[Standing]]:
    """Look at the data, ask the models, and spend the budget on trials."""
    began = time.monotonic()
    with Worker(lines.tick) as worker:
        lines.now("preparing the data and asking the models")
        data: DataFacts = worker.call(look, settings.shared, settings.models, settings.metric)
        lines.say(
            f"{data.name}: {data.num_users:,} users, {data.num_items:,} items, {data.num_train:,} training and "
            f"{data.num_valid:,} validation interactions"
        )
        for model in data.models:
            if model.unfit:
                lines.explain(f"left out: {model.name}. {first_sentence(model.unfit)}")

        def prepare() -> None:
            if not worker.is_running:
                lines.now("loading the data")
                worker.call(load, data.overrides, settings.metric)

        def run(name: str, drawn: dict[str, str], limit: float) -> TrialResult:
            lines.now(" ".join([name, *(f"{setting}={value}" for setting, value in drawn.items())]), limit)
            # Trainings with epochs end by themselves; a process is given a little longer before it is killed.
            arguments = (data.overrides, name, drawn, settings.metric, limit)
            result: TrialResult = worker.call(run_trial, *arguments, limit_seconds=1.25 * limit + 2)
            return result

        contenders = [
            Contender(model, directory.path / TUNING / model.name, settings.sampler_seed, prepare, run).entrant
            for model in sorted(data.models, key=lambda model: model.order)
            if not model.unfit
        ]
        if directory.setup_seconds is None:  # the same after an interruption, so that the same is decided
            directory.setup_seconds = time.monotonic() - began
            directory.save()
        return data, search(contenders, directory.search_seconds, settings.trials, lines.tell)


def _tested(
    directory: ResultDirectory, best: Sequence[BestOfModel], data: DataFacts, lines: ProgressLines
) -> dict[str, FinalRun]:
    """Fit and test the best settings of each model."""
    lines.explain("The best settings of each model are fitted to training and validation, and tested once:")

    def worker(name: str) -> Worker:
        lines.now(f"{name}: fitting to training and validation, and testing")
        return Worker(lines.tick)

    found = {}
    for model, run in final_runs(directory, best, data.name, worker):
        found[model.name] = run
        if run.error:
            lines.explain(f"  {model.name:<16}  failed: {run.error}")
        else:
            lines.say(f"  {model.name:<16}  {Path(run.run).name}")
    return found


def first_sentence(text: str) -> str:
    """``text`` up to its first full stop."""
    return text.partition(". ")[0].rstrip(".") + "."


def _why_not(standing: Standing) -> str:
    """Why there is no result of a model."""
    if not standing.trials:
        return "No time was left for it. Give more minutes."
    return f"Its first trial failed. {standing.trials[-1].error}"
