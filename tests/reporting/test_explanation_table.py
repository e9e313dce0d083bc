from __future__ import annotations

import io

from rich.console import Console

from recsys.reporting.explanation_table import explanation_table
from recsys.runtime.recommendation import Contribution, ItemExplanation, Recommendation, SharedAttribute
from tests.models.board_data import prepared_board

BLACK = (SharedAttribute("black", 1.0),)


def printed(*explanations: ItemExplanation) -> list[list[str]]:
    """The cells of each line of the table, and the lines around it as single cells."""
    ids = [f"i{item:02}" for item in range(2, 2 + len(explanations))]
    recommendation = Recommendation(
        ids, [3.25] * len(ids), True, "toy", explanations=explanations, explanation_method="parts [exact]"
    )
    stream = io.StringIO()
    table = explanation_table(prepared_board().titles_of, "For user [u07]", recommendation)
    Console(file=stream, width=120).print(table)
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in stream.getvalue().splitlines()]


def test_each_item_is_followed_by_its_contributions() -> None:
    rows = printed(ItemExplanation((Contribution("i04", 1.5, BLACK), Contribution("i06", 0.25))))
    assert rows[0] == ["For user [u07]"]
    start = rows.index(["1", "i02", "Square 2", "3.25"])
    assert rows[start + 1][2:] == ["Square 4: shares black", "+1.50"]
    assert rows[start + 2][2:] == ["Square 6", "+0.250"]
    assert rows[-2] == ["parts [exact]"]


def test_older_interactions_are_one_line() -> None:
    rows = printed(ItemExplanation((), 1234, -0.5))
    assert ["", "", "1,234 older interactions together", "-0.500"] in rows


def test_a_popular_item_and_a_contribution_without_a_value() -> None:
    rows = printed(ItemExplanation((Contribution("i04", None, BLACK),), popularity=1500))
    assert ["", "", "popular: 1,500 interactions", ""] in rows
    assert ["", "", "shares black with Square 4", ""] in rows


def test_items_are_ranked_in_their_order() -> None:
    ranks = [row[:2] for row in printed(ItemExplanation(()), ItemExplanation(())) if row[0] in ("1", "2")]
    assert ranks == [["1", "i02"], ["2", "i03"]]


def test_the_rest_is_told_unless_it_is_rounding() -> None:
    rows = printed(ItemExplanation((Contribution("i04", 1.5),), rest=-0.25))
    assert ["", "", "everything else", "-0.250"] in rows
    assert not any("everything else" in row for row in printed(ItemExplanation((Contribution("i04", 1.5),), rest=1e-8)))
