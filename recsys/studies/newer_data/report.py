"""Tables and the page of a comparison on newer interactions."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.output_directory import make_output_directory
from recsys.reporting.result_table import ResultTable
from recsys.studies.comparison.comparing import Comparison
from recsys.studies.comparison.tables import accuracy_table, baseline_table, pairs_table, segments_table
from recsys.studies.newer_data.held_out import HeldOut
from recsys.studies.newer_data.verdict import Verdict

REPORT = "newer.md"


def newer_tables(comparison: Comparison) -> list[ResultTable]:
    """The tables, in the order of reading."""
    pairs = [pairs_table(comparison)] if comparison.pairs else []
    return [accuracy_table(comparison), baseline_table(comparison), *pairs, segments_table(comparison)]


def write_newer_report(comparison: Comparison, held_out: HeldOut, advice: Verdict, directory: Path) -> Path:
    """Write ``newer.md``; an existing one is replaced.

    Returns:
        Path of the page.

    Raises:
        RunError: the directory cannot be made.
    """
    make_output_directory(directory, "comparison", "output")
    lines = [
        f"# {len(comparison.runs)} contestants on {held_out.name}",
        "",
        *(f"{line}." for line in held_out.told()),
        "",
        *(
            f"- {run.label}: `{run.path}`, trained on {run.manifest.data_name} {run.manifest.data_hash[:12]}"
            for run in comparison.runs
        ),
        "",
        f"**{advice.reason}**" + ("" if advice.command is None else f": `{advice.command}`"),
        "",
    ]
    report = directory / REPORT
    tables = "\n".join(table.markdown() for table in newer_tables(comparison))
    report.write_text("\n".join(lines) + "\n" + tables, encoding="utf-8")
    return report
