from __future__ import annotations

import io

from rich.console import Console

from recsys.reporting.similar_items_table import similar_items_table
from recsys.runtime.recommendation import SimilarItems
from tests.models.board_data import prepared_board


def printed(**lists: SimilarItems) -> str:
    stream = io.StringIO()
    named = {name.replace("_", " "): similar for name, similar in lists.items()}
    Console(file=stream, width=160).print(similar_items_table(prepared_board().titles_of, "i03", named))
    return stream.getvalue()


def words(text: str) -> str:
    """The text on one line: titles and notes are folded to the width of the table."""
    return " ".join(text.split())


def cells(text: str, rank: int) -> list[str]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return next(row for row in rows if row[0] == str(rank))


def test_both_lists_stand_side_by_side() -> None:
    text = printed(
        by_the_model=SimilarItems("i03", ["i05", "i07"], [0.5, 0.25], "cosine [vectors]"),
        by_content=SimilarItems("i03", ["i09"], [1.0], "TF-IDF"),
    )
    assert "Square 3" in text.splitlines()[0]
    assert cells(text, 1) == ["1", "i05", "Square 5", "0.500", "i09", "Square 9", "1.000"]
    assert cells(text, 2) == ["2", "i07", "Square 7", "0.250", "", "", ""]
    assert "by the model: cosine [vectors]; by content: TF-IDF" in words(text)


def test_an_empty_list_is_a_note() -> None:
    text = printed(
        by_the_model=SimilarItems("i03", [], [], "cosine"), by_content=SimilarItems("i03", ["i09"], [1.0], "TF-IDF")
    )
    assert "by the model: cosine, and no item is" in words(text)
    assert cells(text, 1) == ["1", "i09", "Square 9", "1.000"]


def test_without_any_item_there_is_no_table() -> None:
    text = printed(by_the_model=SimilarItems("i03", [], [], "cosine"), by_content=SimilarItems("i03", [], [], "TF-IDF"))
    assert "|" not in text and "by content: TF-IDF, and no item is like it" in words(text)
