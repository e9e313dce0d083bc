"""Writes a comparison as a Markdown page with its chart beside it."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.output_directory import make_output_directory
from recsys.studies.comparison.comparing import Comparison
from recsys.studies.comparison.tables import tables

REPORT = "compare.md"
CHART = "compare.png"


def write_report(comparison: Comparison, directory: Path) -> Path:
    """Write ``compare.md`` and ``compare.png``; existing files of these names are replaced.

    Returns:
        Path of the page.

    Raises:
        RunError: the directory cannot be made.
    """
    make_output_directory(directory, "comparison", "--output")
    from recsys.studies.comparison.chart import draw  # with Matplotlib, which only this needs

    draw(comparison, directory / CHART)
    manifest = comparison.runs[0].manifest
    lines = [
        f"# {len(comparison.runs)} runs on {manifest.data_name}",
        "",
        f"Data {manifest.data_hash[:12]}, split {manifest.split_hash[:12]}, {manifest.num_users:,} users, "
        f"{manifest.num_items:,} items.",
        "",
        *(f"- {run.label}: `{run.path}`" for run in comparison.runs),
        "",
        f"![{comparison.metric} against coverage, novelty and time]({CHART})",
        "",
    ]
    report = directory / REPORT
    report.write_text(
        "\n".join(lines) + "\n" + "\n".join(table.markdown() for table in tables(comparison)), encoding="utf-8"
    )
    return report
