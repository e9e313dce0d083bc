from __future__ import annotations

import io
import re

import numpy as np
from rich.console import Console

from recsys.evaluation.fixed_negatives import WARNING, FixedNegativesResult
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.segments import Segment
from recsys.evaluation.statistics.significance import Interval
from recsys.reporting.evaluation_tables import (
    cut_offs_table,
    fixed_negatives_table,
    folds_table,
    metrics_table,
    segments_table,
)

BOLD = "\x1b[1m"


def result(ndcg: float, coverage: float, low_recall: float = 0.1) -> RankingResult:
    return RankingResult(
        users=np.array([0, 1]),
        per_user={"ndcg@10": np.array([ndcg, ndcg])},
        catalogue={"coverage@10": coverage},
        segments=(
            Segment("user_activity", "low", 7, {"recall@10": low_recall, "ndcg@10": 0.3}),
            Segment("item_popularity", "tail", 0, {"recall@10": float("nan")}),
        ),
        intervals={"ndcg@10": Interval(ndcg - 0.05, ndcg + 0.05)},
        user_activity=np.array([0, 0]),
        per_user_beyond={},
    )


RESULTS = {"popularity": result(0.2, 0.5, low_recall=0.4), "mf": result(0.25, 0.25)}
FIXED = {"mf": FixedNegativesResult(99, np.array([7]), {"ndcg@10": np.array([0.5])}, {"ndcg@10": Interval(0.4, 0.6)})}


def render(table, terminal=False, width=120):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=width, color_system="standard" if terminal else None)
    console.print(table)
    return stream.getvalue()


def line_of(text, start):
    return next(line for line in text.splitlines() if line.replace(BOLD, "").strip("| ").startswith(start))


def is_bold(number, text):
    return re.search(rf"{re.escape(BOLD)} *{re.escape(number)}", text) is not None


def test_a_row_holds_mean_interval_and_gain_over_the_first_row():
    text = render(metrics_table(RESULTS, ["ndcg@10", "coverage@10"]))
    cells = [cell.strip() for cell in line_of(text, "popularity").strip("| ").split("|")]
    assert cells == ["popularity", "0.2000 [0.1500, 0.2500]", "0.5000"]
    cells = [cell.strip() for cell in line_of(text, "mf").strip("| ").split("|")]
    assert cells == ["mf", "**0.2500** +25.0% [0.2000, 0.3000]", "0.2500 -50.0%"]


def test_the_best_accuracy_is_bold_and_no_catalogue_measure_is():
    text = render(metrics_table(RESULTS, ["ndcg@10"]), terminal=True)
    assert is_bold("0.2500", line_of(text, "mf"))
    assert not is_bold("0.2000", text)
    assert not is_bold("0.5000", render(metrics_table(RESULTS, ["coverage@10"]), terminal=True))


def test_a_measure_that_a_result_lacks_is_a_dash():
    text = render(metrics_table(RESULTS, ["diversity@10"]))
    assert [cell.strip() for cell in line_of(text, "mf").strip("| ").split("|")] == ["mf", "-"]


def test_there_is_no_gain_over_nothing():
    text = render(metrics_table({"nothing": result(0.0, 0.0), "mf": result(0.25, 0.25)}, ["ndcg@10"]))
    assert "[" in text and "+" not in text


def test_tables_are_plain_ascii_in_a_file_even_when_narrow():
    tables = (metrics_table(RESULTS), segments_table(RESULTS), fixed_negatives_table(FIXED))
    for table in tables:
        for width in (120, 30):
            text = render(table, width=width)
            assert text.isascii()
            assert "\x1b" not in text


def test_a_model_name_is_not_read_as_markup():
    assert "[bold]mf" in render(metrics_table({"[bold]mf": result(0.2, 0.5)}))


def test_segments_are_rows_and_models_columns():
    text = render(segments_table(RESULTS))
    assert "recall@10 by segment" in text
    cells = [cell.strip() for cell in line_of(text, "user_activity=low").strip("| ").split("|")]
    assert cells == ["user_activity=low", "7", "**0.4000**", "0.1000"]
    cells = [cell.strip() for cell in line_of(text, "item_popularity=tail").strip("| ").split("|")]
    assert cells == ["item_popularity=tail", "0", "-", "-"]


def test_segments_without_the_measure_are_left_out():
    text = render(segments_table(RESULTS, "ndcg@10"))
    assert "user_activity=low" in text
    assert "item_popularity" not in text


def test_the_best_model_of_a_segment_is_bold():
    text = render(segments_table(RESULTS), terminal=True)
    assert is_bold("0.4000", text)
    assert not is_bold("0.1000", text)


def test_fixed_negatives_come_with_their_number_and_a_warning():
    text = render(fixed_negatives_table(FIXED, ["ndcg@10"]), width=200)
    assert "Among 99 fixed negatives" in text
    assert "0.5000 [0.4000, 0.6000]" in text
    assert " ".join(WARNING.split()) in " ".join(text.split())


def test_nothing_is_printed(capsys):
    metrics_table(RESULTS)
    segments_table(RESULTS)
    fixed_negatives_table(FIXED)
    assert capsys.readouterr() == ("", "")


def test_folds_with_their_mean_and_the_deviation_of_a_sample():
    folds = [{"rmse": 0.9, "mae": 0.5}, {"rmse": 1.0}, {"rmse": 1.1}]
    table = folds_table(folds, ["rmse", "mae"], "Three folds")
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    # deviations of -0.1, 0 and 0.1: sqrt(0.02 / 2)
    assert cells[0] == ["1", "2", "3", "mean", "sd"]
    assert cells[1] == ["0.9000", "1.0000", "1.1000", "1.0000", "0.1000"]
    assert cells[2] == ["0.5000", "-", "-", "-", "-"]


def test_all_cut_offs_stand_side_by_side():
    table = cut_offs_table(RESULTS, "All")
    headings = [str(column.header) for column in table.columns]
    assert headings[:2] == ["metric", "model"] and headings[2:] == sorted(headings[2:], key=lambda text: int(text[1:]))
    rows = list(zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True))
    means = {model: result.means() for model, result in RESULTS.items()}
    first, second = list(RESULTS)[:2]
    assert rows[0][1:] == (first, *(f"{means[first][f'{rows[0][0]}{k}']:.4f}" for k in headings[2:]))
    assert rows[1][:2] == ("", second)
