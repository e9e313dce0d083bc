"""What became of the lists."""

from __future__ import annotations

import math

import pytest
from rich.console import Console

from recsys.studies.simulation.summary import Visit, summarise, summary_table


def visit(utility: float, bundle: str = "a", variant: str | None = None, clicks: int = 0) -> Visit:
    return Visit(bundle, variant, utility, best=0.9, random=0.1, num_items=10, num_clicks=clicks, degraded=clicks > 5)


def test_means_are_over_visits_and_clicks_over_items():
    found = summarise([visit(0.2, clicks=1), visit(0.4, clicks=6)])
    assert found.utility == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(0.1)
    assert found.click_rate == pytest.approx(7 / 20)
    assert (found.num_visits, found.num_degraded) == (2, 1)


def test_one_visit_has_no_standard_error():
    assert math.isnan(summarise([visit(0.2)]).standard_error)


def test_a_row_for_each_bundle_and_variant():
    table = summary_table([visit(0.2), visit(0.5, variant="new"), visit(0.7, bundle="b")])
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table)
    text = captured.get()
    assert [line.split("|")[1].strip() for line in text.splitlines() if "0.9000" in line] == ["a", "a", "b"]
    assert "0.5000" in text
