"""Every command over titles, ids and columns that mean something to a terminal: they are printed as they are."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.checkerboard import checkerboard
from tests.cli.hostile import CONTROL, PLAIN, SHOWN, assert_as_it_is
from tests.scripts.running import Scripts

#: Of items and users by place; the one list has ids that a table may have, the other titles.
TITLES = [*PLAIN, *CONTROL]
TITLES_SHOWN = [*PLAIN, *SHOWN]

MODEL = ["model=content", "tracking=none", "trainer.accelerator=cpu", "evaluation.bootstrap_samples=0"]


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def table(tmp_path: Path) -> list[str]:
    """The checkerboard with such ids, titles and columns as a user's own tables."""
    interactions, _ = checkerboard(num_users=30, num_items=len(TITLES))
    pairs = zip(interactions.user_index, interactions.item_index, strict=True)
    write(tmp_path / "seen.csv", [["user_id", "item_id"], *([f"[u{u:02}]", f"[/i{i:02}]"] for u, i in pairs)])
    items = [[f"[/i{i:02}]", title, f"[a{i % 2}] :smile:"] for i, title in enumerate(TITLES)]
    write(tmp_path / "items.csv", [["item_id", "title", "[/kind]"], *items])
    return ["data=table", "data.interactions=seen.csv", "data.items=items.csv"]


def test_training_and_all_that_reads_a_run(scripts: Scripts, table: list[str]) -> None:
    trained = scripts("train", *table, *MODEL, "show_users=30")
    assert trained.status == 0, trained.err
    assert_as_it_is(trained.out, (*TITLES_SHOWN, "For user [u00]", "[/i00]"))
    run = f"run={trained.run}"
    some = tuple(TITLES_SHOWN[1:4])  # of a list of ten of the board's half at most
    for command, *arguments in (
        ["recommend", run, 'user="[u01]"', "k=20"],
        ["recommend", run, 'history=["[/i02]"]', "k=20", "explain=true"],
        ["similar", run, 'item="[/i02]"', "k=20"],
        ["elicit", run, 'known=["[/i02]"]', "k=20"],
    ):
        finished = scripts(command, *arguments)
        assert finished.status == 0, finished.err
        assert_as_it_is(finished.out, ("[/i",))
        assert any(title in finished.out for title in some), finished.out
    assert "[/kind]" in scripts("prepare", *table).out


def test_messages(scripts: Scripts, table: list[str]) -> None:
    finished = scripts("prepare", *table, "data.columns.user='[/b]\x1b[2J'")
    assert finished.status == 2
    assert_as_it_is(finished.err, (r"[/b]\x1b[2J",))
