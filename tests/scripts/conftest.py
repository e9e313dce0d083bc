import os
from pathlib import Path

import pytest

from tests.api.fixtures import bundle_path, data, model, split
from tests.checkerboard import checkerboard
from tests.scripts.running import Scripts

#: Fixtures of other tests, for those of the lists that scripts write.
__all__ = ["bundle_path", "data", "model", "split"]


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Scripts:
    return Scripts(tmp_path, monkeypatch, capsys)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment names a service, or how it is to run."""
    for name in [name for name in os.environ if name.startswith("RECSYS_") and name != "RECSYS_CACHE"]:
        monkeypatch.delenv(name)


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


@pytest.fixture
def coloured_board(board: list[str], tmp_path: Path) -> list[str]:
    """The same board, with a column of values and one of numbers: 00 and 01 are small, 02 and 03 large, and so on."""
    rows = ["item_id,title,sizes,year"]
    rows += [f"{item:02},Square {item},{'small' if item % 4 < 2 else 'large'},{2000 + item}" for item in range(20)]
    (tmp_path / "items.csv").write_text("\n".join(rows), encoding="utf-8")
    features = "data.item_features={sizes: {kind: multi_valued, separator: '|'}, year: number, title: text}"
    return [*board, features]
