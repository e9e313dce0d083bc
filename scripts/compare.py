"""Compare finished runs of the same data and split: ``python scripts/compare.py runs=[runs/A,runs/B] metric=ndcg``.

The runs may stand alone: ``python scripts/compare.py runs/A runs/B``. ``newer=FILE`` compares runs or bundles of any
data on interactions that none of them was trained on; the first is the champion. Prints tables and writes them with a
chart to ``output``. The last line of the output is ``comparison: FILE``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.positional import as_list
from recsys.errors import SettingsError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.studies.comparison.comparing import Settings


@config_command("compare", positional=as_list("runs"))
def main(config: DictConfig) -> None:
    """Tables of means, tests, segments and what lies beyond accuracy, and a chart."""
    from recsys.cli.console import console
    from recsys.studies.comparison.comparing import Settings

    settings = Settings(
        metric=config.metric,
        k=config.k,
        baseline=config.baseline,
        test=config.test,
        correction=config.correction,
        alpha=config.alpha,
    )
    paths = [Path(run) for run in config.runs]
    report = of_one_split(paths, settings, config) if config.newer is None else on_newer(paths, settings, config)
    console.print(f"comparison: {report}", soft_wrap=True)


def of_one_split(paths: list[Path], settings: Settings, config: DictConfig) -> Path:
    """Runs of the same data and split, by what each of them has measured."""
    from recsys.cli.console import console
    from recsys.studies.comparison.compared_runs import open_runs
    from recsys.studies.comparison.comparing import compare
    from recsys.studies.comparison.report import write_report
    from recsys.studies.comparison.tables import tables

    if config.repeats != "drop":
        raise SettingsError(
            f"repeats={config.repeats} needs newer=FILE. Runs of one split are compared by what they were measured on: "
            "train them with evaluation.repeats=keep instead."
        )
    comparison = compare(open_runs(paths), settings)
    for run in comparison.runs:
        lineage = f" ({run.manifest.lineage})" if run.manifest.lineage else ""
        console.print(f"{run.label}: {run.path}{lineage}", soft_wrap=True)
    console.print()
    for table in tables(comparison):
        console.print(table.for_terminal())
    return write_report(comparison, Path(config.output))


def on_newer(paths: list[Path], settings: Settings, config: DictConfig) -> Path:
    """Champion and challengers, runs or bundles, on interactions that none of them was trained on."""
    from omegaconf import OmegaConf

    from recsys.cli.console import console
    from recsys.studies.comparison.comparing import compare
    from recsys.studies.newer_data.contestants import open_contestants
    from recsys.studies.newer_data.held_out import read_held_out
    from recsys.studies.newer_data.report import newer_tables, write_newer_report
    from recsys.studies.newer_data.scoring import measured
    from recsys.studies.newer_data.verdict import verdict

    contestants = open_contestants(paths)
    columns = None if config.columns is None else OmegaConf.to_container(config.columns)
    held_out = read_held_out(Path(config.newer), columns, contestants, config.repeats)  # type: ignore[arg-type]
    for line in held_out.told():
        console.print(line)
    comparison = compare([measured(one, held_out, settings.k) for one in contestants], settings)
    console.print()
    for table in newer_tables(comparison):
        console.print(table.for_terminal())
    advice = verdict(comparison, contestants)
    console.print(advice.reason)
    if advice.command is not None:
        console.print(f"  {advice.command}")
    return write_newer_report(comparison, held_out, advice, Path(config.output))


if __name__ == "__main__":
    main()
