"""From the command line to a leaderboard and back: reads the overrides, starts or goes on, prints the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from recsys.cli.commands import as_typed
from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
from recsys.cli.console import console
from recsys.cli.overrides import setting_of
from recsys.cli.process.beginning import began_at
from recsys.cli.process.extras import require_libraries
from recsys.errors import RunError
from recsys.studies.comparison.comparing import Settings
from recsys.studies.leaderboard.budget import Budget
from recsys.studies.leaderboard.progress_lines import ProgressLines, clock_time
from recsys.studies.leaderboard.report import going_on, ranking_table
from recsys.studies.leaderboard.result_directory import ResultDirectory
from recsys.studies.leaderboard.running import LeaderboardSettings, run_leaderboard
from recsys.studies.leaderboard.standings import verdict

#: Minutes of a search where none are given.
DEFAULT_MINUTES = 10.0

#: Where results go where nothing else is said.
RESULTS = "results"

#: Settings of ``benchmark_models.yaml`` that no training has.
OWN = (
    *("tuned", "models", "leave_out", "baseline", "strong", "metric", "k", "output"),
    *("minutes", "trials", "sampler_seed"),
)


def start_search(config: DictConfig, given: Sequence[str]) -> None:
    """Begin a leaderboard in a new directory.

    Args:
        config: of ``benchmark_models.yaml``.
        given: the overrides of the command line.

    Raises:
        SettingsError: Optuna is not installed.
        RunError: a setting is refused, or fewer than two models could be tested.
    """
    require_libraries("optuna")  # or models that are fitted once would take their minutes before it is missed
    settings = leaderboard_settings(config, given)
    minutes = DEFAULT_MINUTES if config.minutes is None else config.minutes
    name = str(config.data.get("name") or "data")
    _run(ResultDirectory.create(Path(config.output or RESULTS), name, given, minutes), settings)


def resume_search(config: DictConfig, given: Sequence[str]) -> None:
    """Go on with a leaderboard that was interrupted.

    Raises:
        RunError: there is none, or other settings are given.
    """
    other = [text for text in given if setting_of(text) != "resume"]
    if other:
        raise RunError(
            f"With resume nothing else may be given, but the command line says {' '.join(other)}. Leave it out: the "
            "benchmark keeps the settings that it was started with."
        )
    directory = ResultDirectory.open(Path(config.resume))
    started = compose_config("benchmark_models", directory.overrides)
    _run(directory, leaderboard_settings(started, directory.overrides))


def leaderboard_settings(config: DictConfig, given: Sequence[str]) -> LeaderboardSettings:
    """What the command line asks for.

    Raises:
        RunError: a single model is given, or models that do not exist.
    """
    if any(setting_of(text) == "model" for text in given):
        raise RunError(
            "A benchmark trains many models, so model= has no place here. Choose some with 'models=[ease,ials]', or "
            "use scripts/tune.py for one."
        )
    known = sorted(path.stem for path in (CONFIG_DIRECTORY / "model").glob("*.yaml"))
    for setting, asked in (("models", [*(config.models or []), *config.leave_out]), ("strong", list(config.strong))):
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise RunError(
                f"{setting} must be among {', '.join(known)}, but there are {', '.join(unknown)}. Correct them."
            )
    models = config.models or [name for name in known if name not in config.leave_out]
    shared = [text for text in given if setting_of(text) not in (*OWN, "name", "resume")]
    return LeaderboardSettings(
        shared=tuple(shared),
        models=tuple(models),
        trials=config.trials,
        sampler_seed=config.sampler_seed,
        strong=tuple(config.strong),
        comparison=Settings(metric=config.metric, k=config.k, baseline=config.baseline),
    )


def _run(directory: ResultDirectory, settings: LeaderboardSettings) -> None:
    budget = Budget(60 * directory.minutes, directory.spent_seconds, began_at())
    lines = ProgressLines(console, budget.seconds)
    lines.say(f"results: {directory.path}")
    if budget.spent_before > 0:
        lines.explain(
            f"Of {clock_time(budget.seconds)} minutes {clock_time(budget.spent_before)} were spent before; "
            f"{clock_time(max(budget.left, 0))} are left."
        )
    lines.say(f"to go on after an interruption: {directory.resume_command}")
    try:
        board = run_leaderboard(directory, settings, budget, lines)
    except BaseException:
        lines.say(f"not finished; to go on: {directory.resume_command}")
        raise
    finally:
        directory.close()
    console.print(ranking_table(board).for_terminal())
    lines.explain(verdict(board.comparison))
    if board.left_out:
        lines.explain(f"Left out, which the page explains: {', '.join(board.left_out)}.")
    lines.say("")
    for purpose, command in going_on(board):
        lines.say(f"{purpose}:")
        console.print_command(as_typed(command), indent="  ")
    lines.say(f"took {clock_time(budget.elapsed)} of {clock_time(budget.seconds)} minutes")
    lines.say(f"results: {directory.report}")
