"""Writes the measurements: a line of JSON each, and a page for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from on_gpu.measurement import Ceilings


def write_report(
    records: Sequence[dict[str, Any]], ceilings: Ceilings, hardware: str, directory: Path, tiny: bool
) -> None:
    """Write ``gpu.jsonl`` and ``gpu.md``.

    Args:
        records: of measurements, and of parts that failed (``name`` and ``error``).
        ceilings: of the device.
        hardware: in words.
        directory: made where there is none.
        tiny: whether the sizes were tiny, which the page says: its figures mean nothing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record) for record in records]
    (directory / "gpu.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (directory / "gpu.md").write_text(page(records, ceilings, hardware, tiny), encoding="utf-8")


def page(records: Sequence[dict[str, Any]], ceilings: Ceilings, hardware: str, tiny: bool) -> str:
    """The page in Markdown."""
    rates = ", ".join(
        f"{rate / 1e12:,.1f} TFLOP/s in {precision}" for precision, rate in ceilings.operations_per_second.items()
    )
    lines = [
        "# Figures of a GPU",
        "",
        f"`python benchmarks/gpu.py{' --tiny' if tiny else ''}` on {hardware}. A copy moves "
        f"{ceilings.bytes_per_second / 1e9:,.0f} GB/s, and products of matrices run at {rates}: the "
        "floor of a figure is the larger of its fewest bytes over the former and its operations over the latter.",
        "",
        *(["Sizes are tiny: these figures say only that everything runs.", ""] if tiny else []),
        "| | time, ms | floor, ms | of | share of the floor | |",
        "|---|---|---|---|---|---|",
        *(_row(record) for record in records if "error" not in record),
    ]
    failed = [f"- `{record['name']}`: {record['error']}" for record in records if "error" in record]
    if failed:
        lines += ["", "Not measured:", "", *failed]
    return "\n".join([*lines, ""])


def _row(record: dict[str, Any]) -> str:
    rates = [
        f"{value:,.0f} {name.removesuffix('_per_second')} a second"
        for name, value in record.items()
        if name.endswith("_per_second")
    ]
    times = f"{record['seconds'] * 1e3:,.3f} | {record['floor_seconds'] * 1e3:,.3f} | {record['floor_of']}"
    return f"| `{record['name']}` | {times} | {record['floor_share']:.1%} | {', '.join(rates)} |"
