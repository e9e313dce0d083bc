from __future__ import annotations

import io

import torch
from rich.console import Console

from recsys.recommendation.similar_items import Neighbours
from recsys.reporting.similar_items_table import neighbours_table
from tests.models.board_data import prepared_board


def neighbours(items: list[int], similarities: list[float], measure: str) -> Neighbours:
    return Neighbours(torch.tensor(items, dtype=torch.int64), torch.tensor(similarities), measure)


def printed(by_model: Neighbours, by_content: Neighbours | None) -> str:
    stream = io.StringIO()
    Console(file=stream, width=160).print(neighbours_table(prepared_board(), 3, by_model, by_content))
    return stream.getvalue()


def words(text: str) -> str:
    """The text on one line: titles and notes are folded to the width of the table."""
    return " ".join(text.split())


def cells(text: str, rank: int) -> list[str]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return next(row for row in rows if row[0] == str(rank))


def test_both_lists_stand_side_by_side() -> None:
    text = printed(neighbours([5, 7], [0.5, 0.25], "cosine [vectors]"), neighbours([9], [1.0], "TF-IDF"))
    assert text.startswith("Similar to Square 3")
    assert cells(text, 1) == ["1", "i05", "Square 5", "0.500", "i09", "Square 9", "1.000"]
    assert cells(text, 2) == ["2", "i07", "Square 7", "0.250", "", "", ""]
    assert "by the model: cosine [vectors]; by content: TF-IDF" in words(text)


def test_without_features_there_is_one_list_and_a_note() -> None:
    text = printed(neighbours([5], [0.5], "cosine"), None)
    assert cells(text, 1) == ["1", "i05", "Square 5", "0.500"]
    assert "by content: no item has features with words" in words(text)


def test_an_empty_list_is_a_note() -> None:
    text = printed(neighbours([], [], "cosine"), neighbours([9], [1.0], "TF-IDF"))
    assert "by the model: no item is similar; by content: TF-IDF" in words(text)
    assert cells(text, 1) == ["1", "i09", "Square 9", "1.000"]
