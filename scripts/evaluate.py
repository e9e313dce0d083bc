"""Evaluate a finished run again: ``python scripts/evaluate.py run=DIR evaluation.ks=[1,10,100] stage=valid``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.errors import RunError

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("evaluate")
def main(config: DictConfig) -> None:
    """Print the metrics of a run; nothing in the run directory changes unless ``save_per_user`` asks for it."""
    from hydra.utils import instantiate

    from recsys.cli.console import console
    from recsys.cli.output_directory import make_place_for_file
    from recsys.evaluation.model_report import evaluate_model, model_name
    from recsys.reporting.run_report import print_report
    from recsys.runs.assembly import build_known_items
    from recsys.runs.device import training_device
    from recsys.runs.trained_run import open_run, split_of_run

    if config.output is not None:
        make_place_for_file(Path(config.output), "metrics", "output=")
    run = open_run(config.run)
    known_items = build_known_items(config, run.config)
    evaluator = instantiate(config.evaluation, repeats=known_items.repeats)
    view, split = split_of_run(run)
    device = training_device(run.config)
    evaluation = evaluate_model(
        evaluator, None, run.prepared, view, split, run.model, device, config.stage, known_items.exclude_seen
    )
    if run.manifest.lineage:
        console.print(run.manifest.lineage, markup=False, soft_wrap=True)
    print_report(evaluation)
    if config.save_per_user:
        if config.stage != "test":
            raise RunError(
                "A run keeps the values of its test users; stage is valid. Leave save_per_user or stage out."
            )
        run.directory.save_per_user(evaluation.per_user(model_name(run.model), run.prepared.user_vocabulary))
    if config.output is not None:
        output = Path(config.output)
        output.write_text(json.dumps(evaluation.metrics(model_name(run.model)), indent=2) + "\n", encoding="utf-8")
        console.print(f"metrics: {output}", soft_wrap=True)


if __name__ == "__main__":
    main()
