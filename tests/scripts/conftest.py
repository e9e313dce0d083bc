from pathlib import Path

import pytest

from tests.checkerboard import checkerboard
from tests.scripts.running import Scripts


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Scripts:
    return Scripts(tmp_path, monkeypatch, capsys)


@pytest.fixture
def board(tmp_path: Path) -> list[str]:
    """Arguments that name the checkerboard as a user's own tables."""
    interactions, _ = checkerboard(num_users=30, num_items=20)
    rows = ["user_id,item_id"]
    rows += [f"u{u:03},{i:02}" for u, i in zip(interactions.user_index, interactions.item_index, strict=True)]
    (tmp_path / "interactions.csv").write_text("\n".join(rows), encoding="utf-8")
    items = [
        "item_id,title",
        *(f"{item:02},The {'White' if item % 2 else 'Black'} Square {item}" for item in range(20)),
    ]
    (tmp_path / "items.csv").write_text("\n".join(items), encoding="utf-8")
    return ["data=table", "data.interactions=interactions.csv", "data.items=items.csv"]
