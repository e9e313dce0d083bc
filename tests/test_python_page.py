"""The lines of Python in the README and of two pages work, in their order, on tables of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.api import board

ROOT = Path(__file__).parents[1]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)


def names() -> dict[str, object]:
    """What the page takes as given: tables, and some users."""
    genres = [["Drama"], ["Comedy", "Drama"]] * 10
    items = board.items().assign(genres=genres)
    interactions = board.interactions()
    return {"interactions": interactions, "items": items, "users": interactions["user_id"].unique()[:4].tolist()}


@pytest.mark.parametrize(
    "page, made", [("docs/python.md", ["bundles", "lists.parquet", "runs"]), ("docs/tutorial.md", ["bundles", "runs"])]
)
def test_a_page_works_from_its_beginning_to_its_end(page, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = names()
    for block in blocks(page):
        exec(block, namespace)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == made


def test_the_five_lines_of_the_readme_work():
    (lines,) = [block for block in blocks("README.md") if "recsys.EASE" in block]
    namespace = names()
    exec(lines, namespace)
    assert list(namespace["lists"].columns) == ["user_id", "item_id", "score", "rank"]
    assert namespace["report"]["recall@10"] > 0
    assert lines.count("\n") < 10


def test_the_readme_and_the_page_have_the_same_five_lines():
    first = blocks("docs/python.md")[0].strip().splitlines()
    assert len([line for line in first if line and not line.startswith("import")]) == 5
    readme = "\n".join(blocks("README.md"))
    assert all(line in readme for line in first)


@pytest.mark.parametrize("name", ["from_pandas", "from_polars", "from_arrow", "from_files", "load", "open", "save"])
def test_what_the_page_names_is_there(name):
    import recsys

    assert callable(getattr(recsys.Dataset, name))
    assert name in (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
