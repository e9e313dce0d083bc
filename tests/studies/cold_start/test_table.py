import math

from recsys.studies.cold_start.measured import Estimate, Row
from recsys.studies.cold_start.table import cold_start_table

ROWS = [
    Row(
        "cold_items",
        None,
        "Content",
        {
            name: Estimate(mean, mean - 0.1, mean + 0.1, 7)
            for name, mean in (
                ("ndcg@10", 0.3),
                ("item_warmth=cold/recall@10", 0.25),
                ("cold_catalogue/recall@10", 0.5),
            )
        },
    ),
    Row("cold_items", None, "Popularity", {"ndcg@10": Estimate(0.2, math.nan, math.nan, 7)}),
    Row("cold_users", 3, "MF", {}, cannot="scores only the users that it was trained on"),
    Row("cold_users", 3, "Popularity", {"ndcg@10": Estimate(0.4, 0.3, 0.5, 5)}),
    Row(
        "cold_users",
        10,
        "Popularity",
        {"ndcg@10": Estimate(0.4, 0.3, 0.5, 5), "cold_catalogue/recall@10": Estimate(1.0, 1.0, 1.0, 1)},
    ),
]


def cells(row: int) -> list[str]:
    return [cell.text for cell in cold_start_table(ROWS, 10).rows[row]]


def test_each_row_is_a_model_in_a_protocol():
    assert cells(0) == ["Content", "cold_items", "", "7", ".3000", "-", ".2500", ".5000"]
    assert cells(1) == ["Popularity", "cold_items", "", "7", ".2000", "-", "-", "-"]
    assert cells(3) == ["Popularity", "cold_users", "3", "5", ".4000", "-", "-", "-"]


def test_intervals_are_shown_where_there_are_any():
    rows = cold_start_table(ROWS, 10).rows
    assert rows[0][4].detail == "[.2000, .4000]"
    assert rows[1][4].detail == ""


def test_the_best_of_a_block_is_bold():
    rows = cold_start_table(ROWS, 10).rows
    assert [row[4].bold for row in rows] == [True, False, False, True, True]


def test_a_model_that_cannot_take_part_says_so_and_why():
    assert cells(2) == ["MF", "cold_users", "3", "-", "cannot", "-", "-", "-"]
    note = cold_start_table(ROWS, 10).note
    assert "MF cannot take part in cold_users: it scores only the users that it was trained on." in note


def test_items_that_are_new_by_accident_are_not_shown():
    assert cells(4)[-1] == "-"
