import pytest


@pytest.fixture
def run(scripts, board):
    return scripts.trained(*board, "model=ease", "tracking=none", "trainer.accelerator=cpu", "show_users=0")


def test_lists_items_by_the_model_and_by_content(scripts, run):
    finished = scripts("similar", f"run={run}", "item=04", "k=3")
    assert finished.status == 0, finished.err
    assert "Similar to The Black Square 4" in finished.out
    rows = [line.split("|") for line in finished.out.splitlines() if line.startswith(("|    1", "|    2", "|    3"))]
    assert len(rows) == 3
    # black squares have even numbers, and words in common
    for row in rows:
        assert int(row[2]) % 2 == 0 and int(row[5]) % 2 == 0
        assert row[2].strip() != "04" and row[5].strip() != "04"


def test_an_unknown_item_is_told_with_near_ones(scripts, run):
    finished = scripts("similar", f"run={run}", "item=4")
    assert finished.status == 2
    assert "There is no item '4' in table. Nearest: '04', '14'." in finished.err


def test_no_neighbours_are_refused(scripts, run):
    finished = scripts("similar", f"run={run}", "item=04", "k=0")
    assert finished.status == 2
    assert "k must be at least 1, but it is 0" in finished.err
