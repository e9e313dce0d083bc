import pytest

from tests.scripts.test_train import SMALL


@pytest.fixture
def run(scripts, board):
    return scripts("train", *board, *SMALL, "show_users=0").run


def listed(out: str) -> list[str]:
    """Item ids of the rows of the printed table."""
    rows = [line.split("|") for line in out.splitlines() if "Square" in line]
    return [row[2].strip() for row in rows]


def test_shows_unseen_titles_with_scores(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=u004", "k=5")
    assert finished.status == 0, finished.err
    assert len(listed(finished.out)) == 5
    # user 4 has interacted with every even item
    assert all(int(item) % 2 == 1 for item in listed(finished.out))
    assert "The White Square" in finished.out


def test_a_list_ends_where_no_unseen_item_is_left(scripts, run):
    assert len(listed(scripts("recommend", f"run={run}", "user=u004", "k=500").out)) == 10


def test_an_unknown_user_gets_a_message_and_the_popular_list(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=1e5", "k=3")
    assert finished.status == 0, finished.err
    assert "User 1e5 is not in the data" in finished.out
    assert "Most popular" in finished.out
    assert len(listed(finished.out)) == 3


def test_no_recommendations_are_refused(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=u004", "k=0")
    assert finished.status == 2
    assert "k must be a whole number of at least 1, but it is 0" in finished.err


def test_needs_no_raw_files(scripts, run):
    (scripts.directory / "interactions.csv").unlink()
    finished = scripts("recommend", f"run={run}", "user=u004", "k=2")
    assert finished.status == 0, finished.err
    assert len(listed(finished.out)) == 2
