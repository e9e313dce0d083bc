"""Train and evaluate one model: ``python scripts/train.py model=neumf data=movielens_1m trainer.max_epochs=20``.

``-m`` runs a sweep: ``python scripts/train.py -m model=mf,neumf seed=1,2,3``. ``resume=DIR`` goes on with a run that
was interrupted, ``sweep=DIR`` and the same command with a sweep. ``refit=true`` trains on validation too once the
epochs are chosen on it, ``refit=all`` on everything. The last line of the output is ``run: DIR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import typed_command

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
    from recsys.distributed.process_group import main_first
    from recsys.evaluation.model_report import model_name
    from recsys.models.interface.capabilities import capabilities
    from recsys.runs.assembly import build_baseline, build_data, build_model, build_view
    from recsys.runs.fit_plan import fit_plan
    from recsys.runs.model_fitting import ModelFitter
    from recsys.runs.several_devices import lock_of, shared_run
    from recsys.runs.sized_settings import sized_model
    from recsys.runs.training_run import TrainingRun

    with main_first():
        prepared = build_data(config)
    config.model, chosen = sized_model(config.model, prepared)
    if chosen:
        console.print(chosen)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    plan = fit_plan(config, view.interactions, model)
    rows = plan.checked
    console.print(
        f"{prepared.schema.name}: {prepared.schema.num_users:,} users, {prepared.schema.num_items:,} items, "
        f"{len(rows.train):,} training, {len(rows.valid):,} validation, {len(rows.test):,} test interactions "
        f"({view.kind} view)"
    )
    console.print(f"{model_name(model)}: {', '.join(capabilities(model))}")
    ModelFitter(config, view, rows).check(model)  # so that a wrong setting leaves no run directory
    build_baseline(config, prepared)
    run = shared_run(config, run)
    if job is not None:
        job.remember(run)
    with lock_of(run):
        return train(TrainingRun(config, prepared, view, plan, run, console.print), model)


def train(training: TrainingRun, model: nn.Module) -> float | None:
    """Fit and evaluate, tracked, and print what came of it."""
    from omegaconf import OmegaConf

    from recsys.cli.console import console
    from recsys.evaluation.model_report import model_name
    from recsys.reporting.next_commands import print_next_commands
    from recsys.reporting.run_report import print_examples, print_origin, print_report
    from recsys.runs.assembly import build_seen_policy
    from recsys.runs.run_directory import ARTIFACTS, TRACKING
    from recsys.runs.several_devices import is_main, lost_to_watcher, tracker_of

    config, run, prepared = training.config, training.run, training.prepared
    tracker = tracker_of(config)
    tags = {"model": model_name(model), "data": prepared.schema.name}
    tracker.start(run.path.name, OmegaConf.to_container(config), run.path / TRACKING, tags)
    try:
        outcome = training.train(model, tracker.log_epoch)
        tracker.finish(outcome.metrics, [run.path / part for part in ARTIFACTS if (run.path / part).is_file()])
    except BaseException as error:
        tracker.fail()
        if not lost_to_watcher(error):
            console.print(f"not finished; to go on: {typed_command('train')} resume={run.path}")
        raise
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
