"""Measure a model on new users and new items: ``python scripts/cold_start.py model=content data=movielens_100k``.

Any setting of a training may be given. The model is compared with the most popular items and with random scores, on new
items, on new users of whom ``num_fold_in`` interactions are known, and on both. The last line of the output names the
page; all numbers are in the JSON file beside it.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import command_line
from recsys.cli.overrides import setting_of

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("cold_start")
def main(config: DictConfig) -> None:
    """Fit and measure in each protocol, then print the table."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.console import console
    from recsys.cli.output_directory import make_output_directory
    from recsys.runs.starting import resolved
    from recsys.studies.cold_start.report import write
    from recsys.studies.cold_start.running import ColdStart
    from recsys.studies.cold_start.table import cold_start_table

    given = [text for text in HydraConfig.get().overrides.task if setting_of(text) != "output"]
    config = resolved(config)
    measurement = ColdStart(config)
    make_output_directory(Path(config.output), "results", "output")
    for protocol in measurement.protocols:
        console.print(
            f"{protocol.name}: {len(protocol.split.train):,} training, {len(protocol.split.valid):,} validation, "
            f"{len(protocol.split.test):,} test interactions",
            highlight=False,
        )
    rows = list(measurement.rows(lambda line: console.print(line)))
    console.print(cold_start_table(rows, config.k).for_terminal())
    command = f"{command_line('cold_start')} {shlex.join(given)}".strip()
    report = write(measurement, rows, config.k, command, Path(config.output))
    console.print(f"cold start: {report}", soft_wrap=True)


if __name__ == "__main__":
    main()
