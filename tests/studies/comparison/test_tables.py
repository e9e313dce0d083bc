from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import SegmentMeans, Settings, compare
from recsys.studies.comparison.tables import (
    accuracy_table,
    baseline_table,
    beyond_accuracy_table,
    pairs_table,
    segments_table,
    tables,
)
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(60)
NAMES = ("popularity", "popularity_recent", "item_knn_ratings")


@pytest.fixture
def comparison(tmp_path):
    runs = [make_run(tmp_path, name, table(NOISE * (1 - place / 4))) for place, name in enumerate(NAMES)]
    return compare(open_runs(runs), Settings())


def printed(table: ResultTable, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(table.for_terminal())
    return out.getvalue()


def test_a_sheet_as_markdown():
    table = ResultTable("Title", ["run", "two\nlines"], [[Cell("a|b"), Cell(".5", "[.4, .6]", bold=True)]], "A note.")
    assert table.markdown() == (
        "## Title\n\n| run | two lines |\n| --- | ---: |\n| a\\|b | **.5** [.4, .6] |\n\nA note.\n"
    )


def test_a_sheet_on_a_terminal_puts_details_below():
    table = ResultTable("Title", ["run", "x"], [[Cell("a"), Cell(".5", "[.4, .6]")]])
    lines = [line.rstrip() for line in printed(table, 80).splitlines()]
    assert "| a   |       .5 |" in lines
    assert "|     | [.4, .6] |" in lines


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_survive_on_a_usual_terminal(comparison, width):
    for one in tables(comparison):
        text = printed(one, width)
        assert max(map(len, text.splitlines())) <= width
        for cell in (cell for row in one.rows for cell in row[1:]):
            assert cell.text in text
            assert cell.detail in text


def test_the_best_mean_is_bold_and_has_its_interval(comparison):
    first = accuracy_table(comparison).rows[0]
    assert [cell.bold for cell in first] == [False, True, True, True]
    low, high = comparison.accuracy["popularity"]["ndcg@10"].interval
    assert first[3].text == f"{NOISE.mean():.4f}".lstrip("0")
    assert first[3].detail == f"[{low:.4f}, {high:.4f}]".replace("0.", ".")


def test_a_significant_difference_is_marked(comparison):
    table = baseline_table(comparison)
    assert table.title == "ndcg@10 against popularity"
    difference, users, p_value, corrected = table.rows[0][1:]
    assert difference.text == f"{-NOISE.mean() / 4:+.4f} (-25.0%)".replace("0.", ".")
    assert users.text == "0 / 60"
    assert (p_value.text, corrected.text) == ("<.001", "<.001*")
    assert "Holm's correction for 2 tests" in table.note


def test_pairs_name_both_runs(comparison):
    assert pairs_table(comparison).rows[0][0].text == "popularity - popularity_recent"


def test_the_pairs_of_one_run_are_corrected_among_all_pairs(comparison):
    whole, own = pairs_table(comparison), pairs_table(comparison, "popularity_recent")
    assert len(whole.rows) == 3 and len(own.rows) == 2
    assert all(row in whole.rows for row in own.rows)
    assert own.note == whole.note and "correction for 3 tests" in own.note


def test_segments_without_users_are_left_out_and_the_measures_are_said(comparison):
    table = segments_table(comparison)
    assert list(table.columns) == ["run", "users\nlow", "users\nmid", "users\nhigh", "items\nhead", "items\nmid"]
    assert "activity: ndcg@10; items by popularity: recall@10" in table.note
    assert "20, 20, 20, 60, 59" in table.note


def test_targets_are_columns_of_their_own(comparison):
    targets = (SegmentMeans("target", "repeated", "recall@10", 7, dict.fromkeys(comparison.accuracy, 0.5)),)
    table = segments_table(replace(comparison, segments=(*comparison.segments, *targets)))
    assert table.columns[-1] == "targets\nrepeated"
    assert "; targets: recall@10 of what was new to the user or known. Users in each mean: 20, 20, 20, 60, 59, 7." in (
        table.note
    )


def test_time_and_epochs_stand_beside_coverage_and_novelty(comparison):
    table = beyond_accuracy_table(comparison)
    assert list(table.columns) == ["run", "coverage", "gini", "novelty", "fit\nseconds", "epochs"]
    assert [cell.text for cell in table.rows[0][1:]] == [".5000", ".2500", "2.000", "0.25", "-"]
