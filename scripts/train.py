"""Train and evaluate one model: ``python scripts/train.py model=neumf data=movielens_1m trainer.max_epochs=20``.

``-m`` runs a sweep: ``python scripts/train.py -m model=mf,neumf seed=1,2,3``. ``resume=DIR`` goes on with a run that
was interrupted. The last line of the output is ``run: DIR``.
"""

from __future__ import annotations

import time
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from recsys.cli.configuration import config_command
from recsys.cli.console import console, user_errors
from recsys.evaluation.model_report import evaluate_model, model_name
from recsys.models.interface.capabilities import capabilities
from recsys.reporting.run_report import print_examples, print_report
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.device import training_device
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import ARTIFACTS, TRACKING, RunManifest
from recsys.runs.starting import interrupted_run, new_run, resolved


@config_command("train")
def main(config: DictConfig) -> float | None:
    """Prepare, split, fit and evaluate; leaves a run directory behind and returns the monitored metric."""
    hydra_config = HydraConfig.get()
    with user_errors(reraise=hydra_config.mode == RunMode.MULTIRUN):
        return train(config, [name for name in hydra_config.overrides.task if not name.startswith("resume=")])


def train(config: DictConfig, overrides: list[str]) -> float | None:
    """One run from raw data to a run directory, which is made once all settings have been found good."""
    run = None
    if config.resume is None:
        config = resolved(config)
    else:
        run, config = interrupted_run(Path(config.resume), overrides)
    device = training_device(config)
    evaluator = instantiate(config.evaluation)
    prepared = build_data(config)
    model, baseline = (build_model(part, config.seed, prepared) for part in (config.model, config.baseline))
    view = build_view(config, prepared, model)
    split = build_split(config, view.interactions)
    name = model_name(model)
    console.print(
        f"{prepared.schema.name}: {prepared.schema.num_users:,} users, {prepared.schema.num_items:,} items, "
        f"{len(split.train):,} training, {len(split.valid):,} validation, {len(split.test):,} test interactions "
        f"({view.kind} view)"
    )
    console.print(f"{name}: {', '.join(capabilities(model))}")
    run = run or new_run(config)
    tracker = instantiate(config.tracking)
    tracker.start(run.path.name, OmegaConf.to_container(config), run.path / TRACKING)
    try:
        started = time.perf_counter()
        fitter = ModelFitter(
            config, view, split, run.checkpoints, console.print, tracker.log_epoch, console.is_terminal
        )
        report = fitter.fit(model)
        seconds = time.perf_counter() - started
        console.print(f"{name} fitted in {seconds:.1f} s; weights of epoch {report.best_epoch} kept")
        run.save_model(model)
        run.save_history(report.epochs, f"{name} on {prepared.schema.name}")
        baseline.fit(view.training_interactions(split.train, rates=False))
        assessment = evaluate_model(evaluator, baseline, prepared, view, split, model, device)
        metrics = assessment.metrics(name)
        run.save_per_user(assessment.per_user(name, prepared.user_vocabulary))
        run.finish(metrics, RunManifest.of(prepared, split, report.best_epoch, seconds, view.kind))
        tracker.finish(metrics, [run.path / part for part in ARTIFACTS if (run.path / part).is_file()])
    except BaseException:
        tracker.fail()
        console.print(
            f"not finished; to go on: python scripts/train.py resume={run.path}", soft_wrap=True, highlight=False
        )
        raise
    print_report(assessment)
    print_examples(model, prepared, config.show_users, k=10)
    console.print(f"run: {run.path}", soft_wrap=True, highlight=False)
    return report.best_value


if __name__ == "__main__":
    main()
