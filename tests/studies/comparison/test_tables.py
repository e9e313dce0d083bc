from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.reporting.result_table import Cell, Sheet
from recsys.studies.comparison.tables import accuracy_sheet, baseline_sheet, beyond_sheet, pairs_sheet, segments_sheet, sheets
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(60)
NAMES = ("popularity", "popularity_recent", "item_knn_ratings")


@pytest.fixture
def comparison(tmp_path):
    runs = [make_run(tmp_path, name, table(NOISE * (1 - place / 4))) for place, name in enumerate(NAMES)]
    return compare(open_runs(runs), Settings())


def printed(sheet: Sheet, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(sheet.for_terminal())
    return out.getvalue()


def test_a_sheet_as_markdown():
    sheet = Sheet("Title", ["run", "two\nlines"], [[Cell("a|b"), Cell(".5", "[.4, .6]", bold=True)]], "A note.")
    assert sheet.markdown() == (
        "## Title\n\n| run | two lines |\n| --- | ---: |\n| a\\|b | **.5** [.4, .6] |\n\nA note.\n"
    )


def test_a_sheet_on_a_terminal_puts_details_below():
    sheet = Sheet("Title", ["run", "x"], [[Cell("a"), Cell(".5", "[.4, .6]")]])
    lines = [line.rstrip() for line in printed(sheet, 80).splitlines()]
    assert "| a   |       .5 |" in lines
    assert "|     | [.4, .6] |" in lines


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_survive_on_a_usual_terminal(comparison, width):
    for sheet in sheets(comparison):
        text = printed(sheet, width)
        assert max(map(len, text.splitlines())) <= width
        for cell in (cell for row in sheet.rows for cell in row[1:]):
            assert cell.text in text
            assert cell.detail in text


def test_the_best_mean_is_bold_and_has_its_interval(comparison):
    first = accuracy_sheet(comparison).rows[0]
    assert [cell.bold for cell in first] == [False, True, True, True]
    low, high = comparison.accuracy["popularity"]["ndcg@10"].interval
    assert first[3].text == f"{NOISE.mean():.4f}".lstrip("0")
    assert first[3].detail == f"[{low:.4f}, {high:.4f}]".replace("0.", ".")


def test_a_significant_difference_is_marked(comparison):
    sheet = baseline_sheet(comparison)
    assert sheet.title == "ndcg@10 beside popularity"
    difference, users, p_value, corrected = sheet.rows[0][1:]
    assert difference.text == f"{-NOISE.mean() / 4:+.4f} (-25.0%)".replace("0.", ".")
    assert users.text == "0 / 60"
    assert (p_value.text, corrected.text) == ("<.001", "<.001*")
    assert "Holm's correction for 2 tests" in sheet.note


def test_pairs_name_both_runs(comparison):
    assert pairs_sheet(comparison).rows[0][0].text == "popularity - popularity_recent"


def test_segments_without_users_are_left_out_and_the_measures_are_said(comparison):
    sheet = segments_sheet(comparison)
    assert list(sheet.columns) == ["run", "users\nlow", "users\nmid", "users\nhigh", "items\nhead", "items\nmid"]
    assert "activity: ndcg@10; items by popularity: recall@10" in sheet.note
    assert "20, 20, 20, 60, 59" in sheet.note


def test_time_and_epochs_stand_beside_coverage_and_novelty(comparison):
    sheet = beyond_sheet(comparison)
    assert list(sheet.columns) == ["run", "coverage", "gini", "novelty", "fit\nseconds", "epochs"]
    assert [cell.text for cell in sheet.rows[0][1:]] == [".5000", ".2500", "2.000", "0.25", "-"]
