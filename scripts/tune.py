"""Search for the best settings on validation: ``python scripts/tune.py model=ease data=movielens_100k trials=30``.

What is searched is in ``configs/search/<model>.yaml``. The test part of the split is not read. The same command goes on
with a study that was interrupted, and joins one that runs: with ``storage=``, workers on any number of machines share
the trials. The last lines of the output are the command of the best settings and the directory.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import as_typed, same_command
from recsys.cli.overrides import setting_of

if TYPE_CHECKING:
    from omegaconf import DictConfig


#: Settings of ``tune.yaml``; all others are those of a training.
OWN = (
    *("search", "trials", "metric", "direction", "validation", "sampler_seed", "output"),
    *("workers", "storage", "study_name", "pruner", "retries", "lost_after_seconds"),
)


@config_command("tune")
def main(config: DictConfig) -> None:
    """Run the trials, here or in several processes, and leave the best settings behind."""
    from recsys.cli.console import console
    from recsys.cli.process.companions import companion_place, run_companions
    from recsys.studies.tuning.best_settings import command_of_best
    from recsys.studies.tuning.finished_trial import given_up_message

    alone = companion_place() is None
    try:
        if alone and config.workers > 1:
            status = run_companions("tune", sys.argv[1:], config.workers, console.print)
            if status:
                raise SystemExit(status)
        else:
            search(config, tells=companion_place() in (None, 1))
    except KeyboardInterrupt:
        if alone:
            console.print(f"not finished; to go on: {same_command('tune')}")
        raise
    if alone:
        if given_up := given_up_message(Path(config.output)):
            console.print(given_up)
        console.print_command(as_typed(command_of_best(Path(config.output))))
        console.print(f"tuned: {config.output}", soft_wrap=True)


def search(config: DictConfig, tells: bool) -> None:
    """Run trials as one worker until all are there; it prints its own and, where it ``tells``, of what they are."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.utils import instantiate

    from recsys.cli.configuration import compose_config
    from recsys.cli.console import console
    from recsys.runs.starting import resolved
    from recsys.studies.tuning.study_worker import StudyWorker

    choices = HydraConfig.get().runtime.choices
    fixed = [text for text in HydraConfig.get().overrides.task if setting_of(text) not in OWN]

    def compose(overrides: list[str]) -> DictConfig:
        return resolved(compose_config("train", overrides))

    worker = StudyWorker(config, choices, fixed, compose, console.print)
    worker.run(instantiate(config.get("pruner")), instantiate(config.tracking), tells)


if __name__ == "__main__":
    main()
