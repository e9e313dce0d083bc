"""Writes a measurement of cold start as JSON, and as a page of Markdown with its picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from recsys.studies.cold_start.chart import draw
from recsys.studies.cold_start.measured import Row
from recsys.studies.cold_start.running import ColdStart
from recsys.studies.cold_start.table import cold_start_sheet

NUMBERS = "cold_start.json"
PAGE = "cold_start.md"
CHART = "cold_start.png"


def write(measurement: ColdStart, rows: Sequence[Row], k: int, command: str, directory: Path) -> Path:
    """Write the three files; what was there under their names is replaced.

    Args:
        measurement: what was measured.
        rows: its rows.
        k: cut-off of the table and of the picture.
        command: that repeats it.
        directory: where the files go.

    Returns:
        The page.
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
        lines += [f"![NDCG by the number of interactions given]({CHART})", ""]
    report = directory / PAGE
    report.write_text("\n".join(lines) + "\n" + cold_start_sheet(rows, k).markdown(), encoding="utf-8")
    return report
