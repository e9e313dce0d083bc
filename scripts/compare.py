"""Compare finished runs of the same data and split: ``python scripts/compare.py runs/A runs/B --metric ndcg --k 10``.

Prints tables and writes them with a chart to ``--output``. The last line of the output is ``comparison: FILE``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from recsys.cli.console import console, user_errors
from recsys.evaluation.multiple_comparisons import CORRECTIONS
from recsys.evaluation.paired_tests import PAIRED_TESTS
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.comparison.report import write_report
from recsys.studies.comparison.tables import tables


def main() -> None:
    """Tables of means, tests, segments and what lies beyond accuracy, and a chart."""
    arguments = parser().parse_args()
    with user_errors():
        settings = Settings(
            metric=arguments.metric,
            k=arguments.k,
            baseline=arguments.baseline,
            test=arguments.test,
            correction=arguments.correction,
            alpha=arguments.alpha,
        )
        comparison = compare(open_runs(arguments.runs), settings)
        for run in comparison.runs:
            console.print(f"{run.label}: {run.path}", soft_wrap=True, highlight=False, markup=False)
        console.print()
        for table in tables(comparison):
            console.print(table.for_terminal())
            console.print()
        report = write_report(comparison, arguments.output)
        console.print(f"comparison: {report}", soft_wrap=True, highlight=False, markup=False)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    defaults = Settings()
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("runs", nargs="+", type=Path, help="run directories, two or more")
    made.add_argument("--metric", default=defaults.metric, help="the measure that is tested (default: %(default)s)")
    made.add_argument("--k", type=int, default=defaults.k, help="cut-off (default: %(default)s)")
    made.add_argument("--baseline", help="the run that the others are tested against (default: the first)")
    made.add_argument("--test", choices=PAIRED_TESTS, default=defaults.test, help="default: %(default)s")
    made.add_argument("--correction", choices=CORRECTIONS, default=defaults.correction, help="default: %(default)s")
    made.add_argument("--alpha", type=float, default=defaults.alpha, help="level (default: %(default)s)")
    made.add_argument("--output", type=Path, default=Path("comparison"), help="directory (default: %(default)s)")
    return made


if __name__ == "__main__":
    main()
