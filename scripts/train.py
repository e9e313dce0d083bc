"""Train and evaluate one model: ``python scripts/train.py model=neumf data=movielens_1m trainer.max_epochs=20``.

``-m`` runs a sweep: ``python scripts/train.py -m model=mf,neumf seed=1,2,3``. ``resume=DIR`` goes on with a run that
was interrupted. The last line of the output is ``run: DIR``.
"""

from __future__ import annotations

import time

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from recsys.assembly import begin_run, build_data, build_model, build_split, fit_model
from recsys.assessment import assess
from recsys.console import console, user_errors
from recsys.presentation import print_assessment, print_examples
from recsys.training.run_directory import ARTIFACTS, TRACKING, RunManifest


@hydra.main(version_base="1.3", config_path="../configs", config_name="train")
def main(config: DictConfig) -> float | None:
    """Prepare, split, fit and evaluate; leaves a run directory behind and returns the monitored metric."""
    with user_errors():
        return train(config, list(HydraConfig.get().overrides.task))


def train(config: DictConfig, overrides: list[str]) -> float | None:
    """One run from raw data to a run directory."""
    run, config = begin_run(config, overrides)
    prepared = build_data(config)
    interactions = prepared.positives()
    split = build_split(config, interactions)
    model = build_model(config, interactions.num_users, interactions.num_items)
    name = type(model).__name__
    console.print(
        f"{prepared.schema.name}: {interactions.num_users:,} users, {interactions.num_items:,} items, "
        f"{len(split.train):,} training, {len(split.valid):,} validation, {len(split.test):,} test interactions"
    )
    tracker = instantiate(config.tracking)
    tracker.start(run.path.name, OmegaConf.to_container(config), run.path / TRACKING)
    try:
        started = time.perf_counter()
        report = fit_model(
            config, model, interactions, split, run, console.print, tracker.log_epoch, console.is_terminal
        )
        seconds = time.perf_counter() - started
        console.print(f"{name} fitted in {seconds:.1f} s; weights of epoch {report.best_epoch} kept")
        run.save_model(model)
        run.save_history(report.epochs, f"{name} on {prepared.schema.name}")
        assessment = assess(config, prepared, interactions, split, model, name)
        metrics = assessment.metrics(name)
        run.finish(metrics, RunManifest.of(prepared, split, report.best_epoch, seconds))
        tracker.finish(metrics, [run.path / part for part in ARTIFACTS if (run.path / part).is_file()])
    except BaseException:
        tracker.fail()
        raise
    print_assessment(assessment)
    print_examples(model, prepared, interactions, config.show_users, k=10)
    console.print(f"run: {run.path}", soft_wrap=True, highlight=False)
    return report.best_value


if __name__ == "__main__":
    main()
