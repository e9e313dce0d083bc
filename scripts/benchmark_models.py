"""Train all models with tuned settings on one data set: ``python scripts/benchmark_models.py data=movielens_100k``.

The settings are those of ``configs/tuned/<data>.yaml``. Each model is a run of ``scripts/train.py`` in a process of its
own; further overrides are given to all of them. The last line of the output is ``results: FILE``.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import command_line, script_path
from recsys.cli.overrides import setting_of
from recsys.errors import RunError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.studies.benchmark.tuned_models import TunedModel


#: Settings of ``benchmark_models.yaml``; all others are those of the trainings.
OWN = ("tuned", "models", "baseline", "metric", "k", "output", "data")


@config_command("benchmark_models")
def main(config: DictConfig) -> None:
    """Train every model, compare them, and write the page."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
    from recsys.cli.console import console
    from recsys.studies.benchmark.results_page import write_results
    from recsys.studies.benchmark.tuned_models import tuned_models
    from recsys.studies.comparison.compared_runs import open_runs
    from recsys.studies.comparison.comparing import Settings
    from recsys.studies.comparison.tables import accuracy_table, beyond_accuracy_table

    given = HydraConfig.get().overrides.task
    shared = [text for text in given if setting_of(text) not in OWN]
    shared += [text for text in given if text.startswith("data.")]  # options of the data set, such as its directory
    data = HydraConfig.get().runtime.choices.data
    rows = tuned_models(config.get("tuned"), data, config.models, CONFIG_DIRECTORY)
    for row in rows:  # so that a misspelt setting does not end a benchmark half-way
        compose_config("train", [*row.overrides, *shared])
    paths = []
    for place, row in enumerate(rows, start=1):
        console.print(f"{place}/{len(rows)}  {row.command}", soft_wrap=True)
        paths.append(train(row, shared))
    command = f"{command_line('benchmark_models')} " + shlex.join(
        text for text in given if setting_of(text) != "output"
    )
    settings = Settings(metric=config.metric, k=config.k, baseline=config.baseline)
    comparison = write_results(Path(config.output), command.strip(), rows, open_runs(paths), settings)
    for table in (
        accuracy_table(comparison),
        beyond_accuracy_table(comparison),
    ):  # together too wide for a terminal
        console.print(table.for_terminal())
    console.print(f"results: {config.output}", soft_wrap=True)


def train(row: TunedModel, shared: list[str]) -> Path:
    """Train one model; returns its run directory.

    Raises:
        RunError: the training failed; what it said is on standard error.
    """
    script = [sys.executable, str(script_path("train"))]
    process = subprocess.run([*script, *row.overrides, "show_users=0", *shared], stdout=subprocess.PIPE, text=True)
    last = (process.stdout.strip().splitlines() or [""])[-1]
    if process.returncode != 0 or not last.startswith("run: "):
        raise RunError(
            f"All models must be trained, but {row.name} failed. Its message is above; repeat: {row.command}"
        )
    return Path(last.removeprefix("run: "))


if __name__ == "__main__":
    main()
