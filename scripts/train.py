"""Train and evaluate one model: ``python scripts/train.py model=neumf data=movielens_1m trainer.max_epochs=20``.

``-m`` runs a sweep: ``python scripts/train.py -m model=mf,neumf seed=1,2,3``. ``resume=DIR`` goes on with a run that
was interrupted, ``sweep=DIR`` and the same command with a sweep. ``refit=true`` trains on validation too once the
epochs are chosen on it, ``refit=all`` on everything. The last line of the output is ``run: DIR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from torch import nn

    from recsys.runs.run_directory import RunDirectory
    from recsys.runs.sweep import SweepJob
    from recsys.runs.training_run import TrainingRun


@config_command("train")
def main(config: DictConfig) -> float | None:
    """One run, alone or as a part of a sweep; returns the monitored metric."""
    from recsys.cli.console import console
    from recsys.runs.sweep import current_job, told_how_to_go_on

    job = current_job(config)
    with told_how_to_go_on(job, console.print):
        if job is not None and (earlier := job.finished_run) is not None:
            console.print(f"finished before\nrun: {earlier.path}", soft_wrap=True)
            return None
        return run_once(config, job)


def run_once(config: DictConfig, job: SweepJob | None) -> float | None:
    """Train in this process, as one of several or as none of them, which start several."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.runs.several_devices import joined_training, start_ranks
    from recsys.runs.starting import started

    config, run = started(config, HydraConfig.get().overrides.task, None if job is None else job.run)
    if start_ranks("train", config, is_sweep=job is not None):
        return None
    with joined_training(config):
        return run_here(config, run, job)


def run_here(config: DictConfig, run: RunDirectory | None, job: SweepJob | None) -> float | None:
    """Prepare, split, fit and evaluate; leaves a run directory behind."""
    from recsys.cli.console import console
    from recsys.runs.assembled_training import assemble_training
    from recsys.runs.several_devices import lock_of

    training, model = assemble_training(config, run, console.print)
    if job is not None:
        job.remember(training.run)
    with lock_of(training.run):
        return train(training, model)


def train(training: TrainingRun, model: nn.Module) -> float | None:
    """Fit and evaluate, and print what came of it."""
    from recsys.cli.console import console
    from recsys.reporting.next_commands import print_next_commands
    from recsys.reporting.run_report import print_examples, print_origin, print_report
    from recsys.runs.assembly import build_seen_policy
    from recsys.runs.several_devices import is_main
    from recsys.runs.tracked_training import train_tracked

    config, run, prepared = training.config, training.run, training.prepared
    outcome = train_tracked(training, model)
    if not is_main():
        return None
    if outcome.evaluation is not None:
        print_report(outcome.evaluation)
    print_origin(run.manifest(), outcome.metrics)
    print_examples(outcome.model, prepared, config.show_users, k=10, exclude_seen=build_seen_policy(config))
    if config.show_users > 0:  # somebody reads
        print_next_commands(run.path, prepared)
    console.print(f"run: {run.path}", soft_wrap=True)
    return outcome.monitored


if __name__ == "__main__":
    main()
