"""Runs a leaderboard from the look at the data to the page, and goes on with one that was interrupted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.cli.commands import command_line
from recsys.errors import RunError
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.leaderboard.budget import Budget
from recsys.studies.leaderboard.contender import Contender
from recsys.studies.leaderboard.entrant import Entrant, Role, Standing
from recsys.studies.leaderboard.final_costs import FinalCosts, measured_pair_seconds
from recsys.studies.leaderboard.final_runs import best_of, best_of_models, fit_and_test
from recsys.studies.leaderboard.jobs import DataFacts, load, look, run_trial
from recsys.studies.leaderboard.progress_lines import ProgressLines
from recsys.studies.leaderboard.report import Leaderboard, write_report
from recsys.studies.leaderboard.result_directory import TUNING, ResultDirectory
from recsys.studies.leaderboard.schedule import Search, SearchActions
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
        strong: models of which the first that fits is tried and tested whatever the time, as the baseline is.
        comparison: the tested metric, its cut-off and the baseline, by the name of its model.
    """

    shared: tuple[str, ...]
    models: tuple[str, ...]
    trials: int
    sampler_seed: int
    strong: tuple[str, ...]
    comparison: Settings

    @property
    def metric(self) -> str:
        """What settings are chosen by."""
        return f"valid/{self.comparison.metric}@{self.comparison.k}"


#: How often the time that is spent is kept, in seconds, so that a process that is killed counts as well.
KEPT_SECONDS = 5.0

#: Guess of what a last fit takes beyond its trial, before one was measured: these seconds, and loading the data twice.
START_SECONDS = 1.5


def run_leaderboard(
    directory: ResultDirectory, settings: LeaderboardSettings, budget: Budget, lines: ProgressLines
) -> Leaderboard:
    """Search, test and write the page; what is done already in ``directory`` is not done again.

    Args:
        directory: keeps what is done.
        settings: what is asked.
        budget: the wall time that all may take.
        lines: says how it goes.

    Raises:
        RunError: fewer than two models could be tested.
        RecsysError: the data or the split are refused.
    """
    with lines.shown():
        try:
            data, standings = _searched(directory, settings, budget, lines)
        finally:
            directory.reach(directory.stage, budget.elapsed)
        lines.now("comparing the models and writing the page")
        return _compared(directory, settings, budget, data, standings)


def _compared(
    directory: ResultDirectory,
    settings: LeaderboardSettings,
    budget: Budget,
    data: DataFacts,
    standings: list[Standing],
) -> Leaderboard:
    """Compare the tested runs and write the page."""
    tested = directory.tested
    left_out = {model.name: model.unfit for model in data.models if model.unfit}
    left_out |= {s.entrant.name: _why_not(s) for s in standings if s.best is None or s.entrant.name not in tested}
    left_out |= {name: f"Its last fit or test failed. {run.error}" for name, run in tested.items() if run.error}
    best = best_of_models(standings, settings.metric, data.overrides)
    ranked = [model for model in best if model.name not in left_out]
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
        elapsed_seconds=budget.elapsed,
    )
    write_report(board)
    directory.finish()
    return board


def _searched(
    directory: ResultDirectory, settings: LeaderboardSettings, budget: Budget, lines: ProgressLines
) -> tuple[DataFacts, list[Standing]]:
    """Look at the data, ask the models, and spend the budget on trials and tests."""

    def tick() -> None:
        lines.tick()
        if budget.elapsed - directory.spent_seconds > KEPT_SECONDS:
            directory.reach(directory.stage, budget.elapsed)

    with Worker(tick) as worker:
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

        def test(standing: Standing, limit: float) -> None:
            name = standing.entrant.name
            lines.now(f"{name}: fitting to training and validation, and testing", limit)
            with Worker(tick) as fresh:
                model = best_of(standing, settings.metric, data.overrides)
                tested = fit_and_test(directory, model, data.name, fresh, limit)
            lines.tested(name, Path(tested.run).name, tested.error, budget.elapsed)

        contenders = [
            Contender(model, directory.path / TUNING / model.name, settings.sampler_seed, prepare, run)
            for model in data.models
            if not model.unfit
        ]
        pair = measured_pair_seconds(data.num_users, settings.comparison)
        costs = FinalCosts(START_SECONDS + 2 * data.load_seconds, pair)
        actions = SearchActions(test, lambda stage: directory.reach(stage, budget.elapsed), lines.tell, lines.skipped)
        search = Search(_entrants(contenders, settings, directory), budget, costs, settings.trials, actions)
        return data, search.run(directory.stage)


def _entrants(contenders: list[Contender], settings: LeaderboardSettings, directory: ResultDirectory) -> list[Entrant]:
    """The baseline, the strong models in their order, then the others, the cheap kinds first."""
    baseline, strong = settings.comparison.baseline, settings.strong

    def role(name: str) -> Role:
        return "baseline" if name == baseline else "strong" if name in strong else ""

    def place(entrant: Entrant) -> tuple[int, int]:
        first = entrant.role == "strong"
        return ["baseline", "strong", ""].index(entrant.role), strong.index(entrant.name) if first else entrant.kind

    found = [each.entrant(role(each.facts.name), each.facts.name in directory.tested) for each in contenders]
    return sorted(found, key=place)


def first_sentence(text: str) -> str:
    """``text`` up to its first full stop."""
    return text.partition(". ")[0].rstrip(".") + "."


def _why_not(standing: Standing) -> str:
    """Why there is no result of a model."""
    if standing.skipped:
        return standing.skipped
    return f"Its first trial failed. {standing.trials[-1].error}"
