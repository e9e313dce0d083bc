"""Train and evaluate one model: ``python scripts/train.py model=neumf data=movielens_1m trainer.max_epochs=20``.

``-m`` runs a sweep: ``python scripts/train.py -m model=mf,neumf seed=1,2,3``. ``resume=DIR`` goes on with a run that
was interrupted. The last line of the output is ``run: DIR``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import typed_command

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from torch import nn

    from recsys.data.prepared import PreparedDataset
    from recsys.runs.model_fitting import ModelFitter
    from recsys.runs.run_directory import RunDirectory


@config_command("train")
def main(config: DictConfig) -> float | None:
    """Prepare, split, fit and evaluate; leaves a run directory behind and returns the monitored metric."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.console import console
    from recsys.evaluation.model_report import model_name
    from recsys.models.interface.capabilities import capabilities
    from recsys.runs.assembly import build_data, build_model, build_split, build_view
    from recsys.runs.model_fitting import ModelFitter
    from recsys.runs.starting import new_run, started

    config, run = started(config, HydraConfig.get().overrides.task)
    prepared = build_data(config)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    split = build_split(config, view.interactions)
    console.print(
        f"{prepared.schema.name}: {prepared.schema.num_users:,} users, {prepared.schema.num_items:,} items, "
        f"{len(split.train):,} training, {len(split.valid):,} validation, {len(split.test):,} test interactions "
        f"({view.kind} view)"
    )
    console.print(f"{model_name(model)}: {', '.join(capabilities(model))}")
    fitter = ModelFitter(config, view, split, print_line=console.print)
    fitter.check(model)  # so that a wrong setting leaves no run directory
    return train(fitter, prepared, model, run or new_run(config))


def train(fitter: ModelFitter, prepared: PreparedDataset, model: nn.Module, run: RunDirectory) -> float | None:
    """Fit and evaluate, and write what the run directory keeps."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from recsys.cli.console import console
    from recsys.evaluation.model_report import evaluate_model, model_name
    from recsys.reporting.next_commands import print_next_commands
    from recsys.reporting.run_report import print_examples, print_report
    from recsys.runs.assembly import build_model
    from recsys.runs.device import training_device
    from recsys.runs.run_directory import ARTIFACTS, TRACKING, RunManifest

    config, view, split, name = fitter.config, fitter.view, fitter.split, model_name(model)
    baseline = build_model(config.baseline, config.seed, prepared)
    tracker = instantiate(config.tracking)
    tracker.start(run.path.name, OmegaConf.to_container(config), run.path / TRACKING)
    try:
        begin = time.perf_counter()
        report = replace(fitter, checkpoints=run.checkpoints, listener=tracker.log_epoch).fit(model)
        seconds = time.perf_counter() - begin
        kept = f"; weights of epoch {report.best_epoch} kept" if report.epochs else ""  # none of what is fitted at once
        console.print(f"{name} fitted in {seconds:.1f} s{kept}")
        run.save_model(model)
        run.save_history(report.epochs, f"{name} on {prepared.schema.name}")
        baseline.fit(view.training_interactions(split.train, rates=False))
        evaluator, device = instantiate(config.evaluation), training_device(config)
        evaluation = evaluate_model(evaluator, baseline, prepared, view, split, model, device)
        metrics = evaluation.metrics(name)
        run.save_per_user(evaluation.per_user(name, prepared.user_vocabulary))
        run.finish(metrics, RunManifest.of(prepared, split, report.best_epoch, seconds, view.kind))
        tracker.finish(metrics, [run.path / part for part in ARTIFACTS if (run.path / part).is_file()])
    except BaseException:
        tracker.fail()
        console.print(f"not finished; to go on: {typed_command('train')} resume={run.path}", soft_wrap=True)
        raise
    print_report(evaluation)
    print_examples(model, prepared, config.show_users, k=10)
    if config.show_users > 0:  # somebody reads
        print_next_commands(run.path, prepared)
    console.print(f"run: {run.path}", soft_wrap=True)
    return report.best_value


if __name__ == "__main__":
    main()
