"""Evaluate a finished run again: ``python scripts/evaluate.py run=DIR evaluation.ks=[1,10,100] stage=valid``."""

from __future__ import annotations

import json
from pathlib import Path

import hydra
from omegaconf import DictConfig

from recsys.assembly import open_run, split_of_run
from recsys.assessment import assess
from recsys.console import console, user_errors
from recsys.errors import RecsysError
from recsys.presentation import print_assessment


@hydra.main(version_base="1.3", config_path="../configs", config_name="evaluate")
def main(config: DictConfig) -> None:
    """Print the metrics of a run; nothing in the run directory changes."""
    with user_errors():
        if config.stage not in ("valid", "test"):
            raise RecsysError(f"stage must be valid or test, but it is {config.stage}.")
        run = open_run(config.run)
        interactions, split = split_of_run(run)
        run.config.evaluation = config.evaluation
        name = type(run.model).__name__
        assessment = assess(run.config, run.prepared, interactions, split, run.model, name, config.stage)
        print_assessment(assessment)
        if config.output is not None:
            metrics = json.dumps(assessment.metrics(name), indent=2)
            Path(config.output).write_text(f"{metrics}\n", encoding="utf-8")
            console.print(f"metrics: {config.output}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()
