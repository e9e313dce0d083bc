from __future__ import annotations

import io

import torch
from recsys.recommendation.explanations import Contribution, ExplainedRecommendation, ItemExplanation
from recsys.recommendation.shared_attributes import SharedAttribute
from rich.console import Console

from recsys.reporting.explanation_table import explained_table
from tests.models.board_data import prepared_board

BLACK = (SharedAttribute("black", 1.0),)


def printed(*reasons: ItemExplanation) -> list[list[str]]:
    """The cells of each line of the table, and the lines around it as single cells."""
    explained = ExplainedRecommendation(
        torch.arange(2, 2 + len(reasons)), torch.tensor([3.25] * len(reasons)), reasons, "parts [exact]"
    )
    stream = io.StringIO()
    Console(file=stream, width=120).print(explained_table(prepared_board(), "For user [u07]", explained))
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in stream.getvalue().splitlines()]


def test_each_item_is_followed_by_its_contributions() -> None:
    reasons = ItemExplanation((Contribution(4, 1.5, BLACK), Contribution(6, 0.25, ())), 0, 0.0, None)
    rows = printed(reasons)
    assert rows[0] == ["For user [u07]"]
    start = rows.index(["1", "i02", "Square 2", "3.25"])
    assert rows[start + 1][2:] == ["Square 4: shares black", "+1.50"]
    assert rows[start + 2][2:] == ["Square 6", "+0.250"]
    assert rows[-1] == ["parts [exact]"]


def test_older_interactions_are_one_line() -> None:
    rows = printed(ItemExplanation((), 1234, -0.5, None))
    assert ["", "", "1,234 older interactions together", "-0.500"] in rows


def test_a_popular_item_and_a_contribution_without_a_part() -> None:
    rows = printed(ItemExplanation((Contribution(4, None, BLACK),), 0, 0.0, 1500))
    assert ["", "", "popular: 1,500 interactions", ""] in rows
    assert ["", "", "shares black with Square 4", ""] in rows


def test_items_are_ranked_in_their_order() -> None:
    nothing = ItemExplanation((), 0, 0.0, None)
    ranks = [row[:2] for row in printed(nothing, nothing) if row[0] in ("1", "2")]
    assert ranks == [["1", "i02"], ["2", "i03"]]
