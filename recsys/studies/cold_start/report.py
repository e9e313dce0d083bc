"""Writes the results of a cold-start study as JSON, and as a Markdown page with its chart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from recsys.studies.cold_start.chart import draw
from recsys.studies.cold_start.measured import Row
from recsys.studies.cold_start.running import ColdStart
from recsys.studies.cold_start.table import cold_start_table

NUMBERS = "cold_start.json"
REPORT = "cold_start.md"
CHART = "cold_start.png"


def write(measurement: ColdStart, rows: Sequence[Row], k: int, command: str, directory: Path) -> Path:
    """Write the three files; existing files of these names are replaced.

    Args:
        measurement: the study.
        rows: its rows.
        k: cut-off of the table and of the chart.
        command: command that repeats the study.
        directory: directory of the files.

    Returns:
        Path of the page.
    """
    schema = measurement.prepared.schema
    content = {
        "command": command,
        "model": measurement.model_name,
        "data": schema.name,
        "data_hash": schema.content_hash,
        "view": measurement.view.kind,
        "num_fold_in": measurement.num_fold_in,
        "k": k,
        "protocols": {
            protocol.name: {
                "split_hash": protocol.split.content_hash(),
                "num_training": len(protocol.split.train),
                "num_test": len(protocol.split.test),
            }
            for protocol in measurement.protocols
        },
        "rows": [row.as_json() for row in rows],
    }
    (directory / NUMBERS).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    heading = f"{measurement.model_name} on {schema.name}"
    lines = [f"# Cold start: {heading}", "", f"`{command}`", ""]
    if draw(rows, k, f"{heading}: NDCG@{k} with 95 % intervals", directory / CHART):
        lines += [f"![NDCG by the number of fold-in interactions]({CHART})", ""]
    report = directory / REPORT
    report.write_text("\n".join(lines) + "\n" + cold_start_table(rows, k).markdown(), encoding="utf-8")
    return report
