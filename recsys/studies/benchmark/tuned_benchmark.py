"""Trains every row of tuned settings, each in a process of its own, compares the runs and writes the page."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from recsys.cli.commands import as_typed, command_line, script_path
from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
from recsys.cli.console import console
from recsys.cli.output_directory import make_place_for_file, new_directory
from recsys.cli.overrides import setting_of
from recsys.errors import RunError
from recsys.studies.benchmark.results_page import write_results
from recsys.studies.benchmark.tuned_models import TunedModel, tuned_models
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings
from recsys.studies.comparison.tables import accuracy_table, beyond_accuracy_table

#: Settings of ``benchmark_models.yaml``; all others are those of the trainings.
OWN = ("tuned", "models", "leave_out", "baseline", "metric", "k", "output", "minutes", "trials", "sampler_seed", "data")


def run_tuned(config: DictConfig, given: Sequence[str], data: str) -> None:
    """Train the rows of ``config.tuned``.

    Args:
        config: of ``benchmark_models.yaml``.
        given: the overrides of the command line.
        data: choice of the group ``data``.

    Raises:
        RunError: a row is refused, its training failed, or the page cannot be written.
    """
    shared = [text for text in given if setting_of(text) not in OWN]
    shared += [text for text in given if text.startswith("data.")]  # options of the data set, such as its directory
    rows = tuned_models(config.get("tuned"), data, config.models, CONFIG_DIRECTORY)
    for row in rows:  # so that a misspelt setting does not end a benchmark half-way
        compose_config("train", [*row.overrides, *shared])
    page = Path(config.output or new_directory(Path("results"), data, "results", "output") / "results.md")
    make_place_for_file(page, "results", "output=")
    paths = []
    for place, row in enumerate(rows, start=1):
        _say(f"{place}/{len(rows)}  {as_typed(row.command)}")
        paths.append(train(row, shared))
    command = f"{command_line('benchmark_models')} " + shlex.join(
        text for text in given if setting_of(text) != "output"
    )
    settings = Settings(metric=config.metric, k=config.k, baseline=config.baseline)
    comparison = write_results(page, command.strip(), rows, open_runs(paths), settings)
    for table in (accuracy_table(comparison), beyond_accuracy_table(comparison)):  # together too wide for a terminal
        console.print(table.for_terminal())
    _say(f"results: {page}")


def train(row: TunedModel, shared: Sequence[str]) -> Path:
    """Train one model; returns its run directory.

    Raises:
        RunError: the training failed; what it said is on standard error.
    """
    script = [sys.executable, str(script_path("train"))]
    process = subprocess.run([*script, *row.overrides, "show_users=0", *shared], stdout=subprocess.PIPE, text=True)
    last = (process.stdout.strip().splitlines() or [""])[-1]
    if process.returncode != 0 or not last.startswith("run: "):
        raise RunError(
            f"All models must be trained, but {row.name} failed. Its message is above; repeat: {as_typed(row.command)}"
        )
    return Path(last.removeprefix("run: "))


def _say(line: str) -> None:
    console.print(line)
