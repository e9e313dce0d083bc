import numpy as np
import pytest

from recsys.reporting.result_table import ResultTable
from recsys.studies.elicitation.simulation import Simulated
from recsys.studies.elicitation.table import elicitation_table

VALUES = np.linspace(0, 1, 30)
RESULTS = [
    Simulated("most popular", 5, 1.5, VALUES * 0.5),
    Simulated("chosen list", 5, 1.0, VALUES * 0.6),
    Simulated("everything", 40, 12.0, VALUES),
]


def texts(table: ResultTable) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_the_table_compares_ways_of_asking_for_as_many_items():
    rows = texts(elicitation_table(RESULTS, "most popular", 10))
    assert rows[0] == ["most popular", "5", "1.5", ".2500", "-", "-"]
    assert rows[1][:5] == ["chosen list", "5", "1.0", ".3000", "+0.0500"]
    assert float(rows[1][5]) < 0.001
    assert rows[2] == ["everything", "40", "12.0", ".5000", "-", "-"]


def test_rows_go_by_the_number_of_questions_and_then_as_they_were_measured():
    results = [Simulated(name, number, 1.0, VALUES) for name in ("b", "a") for number in (20, 5)]
    assert [row[:2] for row in texts(elicitation_table(results, "b", 10))] == [
        ["b", "5"],
        ["a", "5"],
        ["b", "20"],
        ["a", "20"],
    ]


def test_the_best_of_a_number_is_bold_unless_it_stands_alone():
    rows = elicitation_table(RESULTS, "most popular", 10).rows
    assert [row[3].bold for row in rows] == [False, True, False]


def test_means_and_differences_have_their_intervals():
    rows = elicitation_table(RESULTS, "most popular", 10).rows
    low, high = (float(number) for number in rows[0][3].detail.strip("[]").split(", "))
    assert low < 0.25 < high
    # every difference is a tenth of the value, .05 on average and none below zero
    low, high = (float(number) for number in rows[1][4].detail.strip("[]").split(", "))
    assert 0 < low < 0.05 < high < 0.1
    assert rows[0][4].detail == ""


def test_without_the_way_to_compare_with_there_are_no_differences():
    rows = texts(elicitation_table(RESULTS, "at random", 10))
    assert [row[4:] for row in rows] == [["-", "-"]] * 3


@pytest.mark.parametrize("k", [5, 10])
def test_the_heading_says_what_is_measured_and_for_whom(k):
    table = elicitation_table(RESULTS, "most popular", k)
    assert list(table.columns) == ["asked for", "items", "known", f"NDCG@{k}", "beside most popular", "p"]
    assert table.note.startswith("Means over 30 held-out users")
