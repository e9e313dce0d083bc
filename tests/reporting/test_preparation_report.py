from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from recsys.data.inspection.column_summary import ColumnSummary
from recsys.data.preparing import Preparation
from recsys.data.readers.tables.memory_tables import MemoryTableReader
from recsys.reporting import preparation_report
from recsys.reporting.preparation_report import columns_table, print_preparation


def _printed(renderable: object, width: int = 80) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text().splitlines()


def test_columns_fit_80_characters_and_are_printed_as_they_are() -> None:
    columns = [
        ColumnSummary("items", "[b]name[/b]", "multi-valued", 12_345_678, 0.123, "[/b] :smile: " + "x" * 60),
        ColumnSummary("items", "n" * 60, "no feature", None, 1.0, None),
    ]
    lines = _printed(columns_table("items", columns))
    assert max(map(len, lines)) <= 80
    assert lines[0].strip() == "columns of the items"
    row = next(line for line in lines if "[b]name[/b]" in line).split()
    assert row == ["[b]name[/b]", "multi-valued", "12,345,678", "12.3%", "[/b]", ":smile:", "x…"]
    assert any("n" * 19 + "…" in line and "100.0%" in line for line in lines)


def test_the_report_has_columns_joins_notes_and_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sales = pa.table(
        {
            "user_id": ["u", "u", "v"],
            "item_id": ["a", "a", "b"],
            "timestamp": [1_600_000_000, 1_600_000_060, 1_600_000_120],
            "till": [1, 2, 3],
        }
    )
    shop = pa.table({"item_id": ["a", "c"], "tags": ["['x']", "['y', 'x']"]})
    prepared = Preparation().prepare(MemoryTableReader(sales, items=shop, name="shop"), tmp_path / "shop")
    console = Console(width=100, record=True, file=io.StringIO())
    monkeypatch.setattr(preparation_report, "console", console)
    print_preparation(prepared)
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    for line in (
        "columns of the interactions",
        "user_id id 2 u",
        "timestamp time 3 2020-09-13 12:26:40",
        "tags multi-valued 2 x",
        "interactions 2",
        "time 2020-09-13 12:27:40 to 2020-09-13 12:28:40",
        "interactions: columns that are not read: till",
        "items: tags is read as lists, as its text is written",
        "1 of 2 items have a row in the items table (50.0%); 1 of its 2 rows have no interaction",
    ):
        assert line in lines
    assert any(line.startswith("items table removed 1 rows of items") for line in lines)
