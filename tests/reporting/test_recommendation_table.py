from __future__ import annotations

import io

from rich.console import Console

from recsys.reporting.recommendation_table import recommendation_table
from recsys.runtime.recommendation import Recommendation
from tests.models.board_data import prepared_board


def rows_of(recommendation: Recommendation, heading: str = "For user u00") -> list[list[str]]:
    stream = io.StringIO()
    Console(file=stream, width=120).print(recommendation_table(prepared_board().titles_of, heading, recommendation))
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in stream.getvalue().splitlines()]


def test_each_item_has_a_rank_a_title_and_a_score() -> None:
    rows = rows_of(Recommendation(["i04", "i00"], [2.5, 1.0], True, "toy"))
    assert [row for row in rows if row[0] in ("1", "2", "3")] == [
        ["1", "i04", "Square 4", "2.5"],
        ["2", "i00", "Square 0", "1"],
    ]


def test_an_empty_list_has_a_heading_alone() -> None:
    rows = rows_of(Recommendation([], [], False, "toy"), "For user [u00]")
    assert rows[0] == ["For user [u00]"]
    assert ["rank", "item", "title", "score"] in rows
    assert not any(row[0] == "1" for row in rows)
