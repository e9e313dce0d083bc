"""``recommend.py ... explain=true``."""

import pytest

QUICK = ["tracking=none", "trainer.accelerator=cpu", "show_users=0"]


def contributions(out: str) -> list[list[str]]:
    """The cells of the rows that name causes."""
    rows = [[cell.strip() for cell in line.split("|")] for line in out.splitlines() if line.startswith("|")]
    return [row for row in rows if row[1] == row[2] == "" and row[3]]


@pytest.fixture
def run(scripts, board):
    return scripts.trained(*board, "model=ease", *QUICK)


def test_a_known_user_is_told_how_far_the_parts_can_be_trusted(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=u004", "k=2", "explain=true")
    assert finished.status == 0, finished.err
    assert "Exact: the contributions of the whole history add up to the score." in " ".join(finished.out.split())
    plain = scripts("recommend", f"run={run}", "user=u004", "k=2")
    assert contributions(plain.out) == []


def test_a_new_user_is_told_which_of_their_items_a_score_comes_from(scripts, run):
    finished = scripts("recommend", f"run={run}", "history=[00,04]", "k=3", "explain=true")
    assert finished.status == 0, finished.err
    found = contributions(finished.out)
    assert len(found) == 6
    assert all(row[3].startswith(("The Black Square 0", "The Black Square 4")) for row in found)
    assert all('shares "black" in the title' not in row[3] for row in found)  # a word of half of all titles
    assert all(float(row[4]) > 0 for row in found)


def test_a_model_of_known_users_tells_popularity(scripts, board):
    run = scripts("train", *board, "model=mf", "trainer.max_epochs=1", *QUICK).run
    finished = scripts("recommend", f"run={run}", "user=u004", "k=2", "explain=true")
    assert finished.status == 0, finished.err
    assert [row[3] for row in contributions(finished.out)] == ["popular: 15 interactions"] * 2
    assert "MF scores these users by what it learnt in training" in " ".join(finished.out.split())


def test_a_list_that_is_the_same_for_all_says_that_it_is_popular(scripts, board):
    run = scripts("train", *board, "model=popularity", *QUICK).run
    finished = scripts("recommend", f"run={run}", "user=u004", "k=2", "explain=true")
    assert finished.status == 0, finished.err
    assert "Most popular (score: interactions in" in finished.out
