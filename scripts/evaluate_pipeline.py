"""Measure retrieval, ranking and diversity: ``python scripts/evaluate_pipeline.py run=DIR ranker=DIR diversity=mmr``.

Prints tables and writes them with a chart to ``output``. The last line of the output is ``pipeline: FILE``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("evaluate_pipeline")
def main(config: DictConfig) -> None:
    """Print a table for each stage."""
    from hydra.utils import instantiate

    from recsys.cli.console import console
    from recsys.cli.output_directory import make_output_directory
    from recsys.evaluation.model_report import model_name
    from recsys.runs.assembly import build_known_items
    from recsys.runs.trained_run import open_run
    from recsys.studies.pipeline.measuring import measure_pipeline
    from recsys.studies.pipeline.report import tables, write_report

    make_output_directory(Path(config.output), "results", "output=")
    run = open_run(config.run)
    ranking_run = None if config.ranker is None else open_run(config.ranker)
    known_items = build_known_items(config, run.config)
    report = measure_pipeline(
        run,
        ranking_run,
        retrieval=config.retrieval,
        stage=config.stage,
        k=config.k,
        num_candidates=config.num_candidates,
        diversity=config.diversity,
        diversity_weight=config.diversity_weight,
        diversity_weights=config.diversity_weights,
        content=config.diversity_column,
        explain=config.explain,
        make_evaluator=instantiate(config.evaluation, _partial_=True, repeats=known_items.repeats),
        known_items=known_items,
    )
    chosen = None if config.diversity is None else (config.diversity, config.diversity_weight)
    for table in tables(report, chosen):
        console.print(table.for_terminal())
    ranked = "" if ranking_run is None else f", ranked by {model_name(ranking_run.model)}"
    heading = f"{model_name(run.model)}{ranked} on {run.manifest.data_name}, {config.stage}"
    page = write_report(report, chosen, heading, Path(config.output))
    console.print(f"pipeline: {page}", soft_wrap=True)


if __name__ == "__main__":
    main()
