"""Update a run with newer interactions: ``python scripts/update.py run=runs/DIR interactions=new.parquet``.

The interactions are appended to the data of the run, whose model goes on from what it knows, in a fraction of the time
of a fit on all of them. Both the run and its data stay as they are. The same command again finds the update that was
made; after an interruption it begins it anew. ``drift.every=7`` fits anew at each seventh update, and takes that model
where the updated one has fallen behind. The last line is ``run: DIR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("update")
def main(config: DictConfig) -> None:
    """Append, fit, measure."""
    from pathlib import Path

    from recsys.cli.console import console
    from recsys.reporting.run_report import print_report
    from recsys.reporting.update_report import lineage_table, write_update_report
    from recsys.runs.updating.lineage import lineage
    from recsys.runs.updating.new_data import NewData
    from recsys.runs.updating.update_run import RunUpdate
    from recsys.runs.updating.update_settings import DriftSettings, UpdateSettings

    columns = {role: name for role, name in config.columns.items() if name is not None}
    settings = UpdateSettings(
        epochs=config.epochs,
        replay=config.replay,
        shrink=config.shrink,
        new_rows=config.new_rows,
        optimizer=config.optimizer,
        keep_statistics=config.keep_statistics,
        drift=DriftSettings(**config.drift),
    )
    changes = {
        "paths.runs_dir": config.runs_dir,
        "trainer.accelerator": config.accelerator,
        "evaluation.max_users": config.max_users,
    }
    new = NewData(config.interactions, config["users"], config["items"], columns, config.day_first)
    updated = RunUpdate(
        Path(config.run), new, settings, changes, lambda line: console.print(line, soft_wrap=True)
    ).update()
    if updated.evaluation is not None:
        print_report(updated.evaluation)
    if updated.record is not None:
        runs = lineage(updated.path)
        console.print(lineage_table(runs[-5:]).for_terminal())
        console.print(f"lineage: {write_update_report(runs, updated.path)}", soft_wrap=True)
    console.print(f"run: {updated.path}", soft_wrap=True)


if __name__ == "__main__":
    main()
