"""Compare finished runs of the same data and split: ``python scripts/compare.py runs=[runs/A,runs/B] metric=ndcg``.

The runs may stand alone: ``python scripts/compare.py runs/A runs/B``. Prints tables and writes them with a chart to
``output``. The last line of the output is ``comparison: FILE``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.positional import as_list

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("compare", positional=as_list("runs"))
def main(config: DictConfig) -> None:
    """Tables of means, tests, segments and what lies beyond accuracy, and a chart."""
    from recsys.cli.console import console
    from recsys.studies.comparison.compared_runs import open_runs
    from recsys.studies.comparison.comparing import Settings, compare
    from recsys.studies.comparison.report import write_report
    from recsys.studies.comparison.tables import tables

    settings = Settings(
        metric=config.metric,
        k=config.k,
        baseline=config.baseline,
        test=config.test,
        correction=config.correction,
        alpha=config.alpha,
    )
    comparison = compare(open_runs([Path(run) for run in config.runs]), settings)
    for run in comparison.runs:
        console.print(f"{run.label}: {run.path}", soft_wrap=True)
    console.print()
    for table in tables(comparison):
        console.print(table.for_terminal())
        console.print()
    report = write_report(comparison, Path(config.output))
    console.print(f"comparison: {report}", soft_wrap=True)


if __name__ == "__main__":
    main()
