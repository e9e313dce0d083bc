from pathlib import Path

import pytest

from recsys.data.prepared import open_prepared
from tests.scripts.running import Scripts

RATINGS = """user_id,item_id,rating,timestamp
7,x,5,10
007,x,3,20
007,y,4,30
é,y,1,40
é,y,2,50
"""

TABLE = ("data=table", "data.interactions=ratings.csv")


@pytest.fixture(autouse=True)
def ratings(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(RATINGS, encoding="utf-8")


def test_it_prints_counts_and_rules_and_ends_with_the_directory(scripts: Scripts) -> None:
    finished = scripts("prepare", *TABLE, "preparation.positive_threshold=4")
    assert finished.status == 0, finished.err
    lines = [" ".join(line.split()) for line in finished.out.splitlines()]
    for line in (
        "users 3",
        "items 2",
        "interactions 4",
        "density 66.6667%",
        "positives (rated 4 or higher) 2",
        "ratings 2 to 5, mean 3.50",
        "time 10 to 50",
    ):
        assert line in lines
    duplicates = next(line for line in lines if line.startswith("duplicates"))
    assert duplicates.startswith("duplicates removed 1 interactions (of a user's interactions with one item the latest")
    assert "k-core removed nothing" in lines
    start, _, directory = lines[-1].partition(": ")
    assert start == "prepared"
    assert Path(directory).parent == Path("data/prepared")
    assert len(open_prepared(scripts.directory / directory, verify=True).interactions) == 4


def test_it_leaves_nothing_else_behind(scripts: Scripts) -> None:
    scripts("prepare", *TABLE)
    assert sorted(path.name for path in scripts.directory.iterdir()) == ["data", "ratings.csv"]


def test_prepared_data_are_opened_the_second_time(scripts: Scripts) -> None:
    first = scripts("prepare", *TABLE)
    schema = next(scripts.directory.glob("data/prepared/table-*/schema.json"))
    written = schema.stat().st_mtime_ns
    assert scripts("prepare", *TABLE) == first
    assert schema.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("preparation.invalid_rows=keep", "error: preparation.invalid_rows must be error or drop, but it is keep"),
        ("preparation.min_user_interactions=9", "error: The rules leave none of 5 interactions"),
        ("preparation.positive_threshold=6", "error: No interaction reaches preparation.positive_threshold=6"),
        ("data.interactions=nowhere.csv", "error: "),
    ],
)
def test_a_users_error_is_one_message(scripts: Scripts, override: str, message: str) -> None:
    finished = scripts("prepare", *TABLE, override)
    assert finished.status == 2
    assert finished.err.startswith(message)
    assert "Traceback" not in finished.err + finished.out
    assert not list(scripts.directory.glob("data/prepared/[!.]*"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("preparation.min_users=5", "Key 'min_users' is not in struct"),
        ("+preparation.min_users=5", "preparation has no setting 'min_users', but min_user_interactions"),
        ("data=movielens_9000m", "Could not find 'data/movielens_9000m'"),
    ],
    ids=["unknown key", "added key", "unknown data set"],
)
def test_a_wrong_option_is_told_without_a_traceback(scripts: Scripts, override: str, message: str) -> None:
    finished = scripts("prepare", *TABLE, override)
    assert finished.status == 2
    assert message in finished.err
    assert "Traceback" not in finished.err + finished.out
