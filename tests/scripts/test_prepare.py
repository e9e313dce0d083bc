import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.data.prepared import open_prepared

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare.py"

RATINGS = """user_id,item_id,rating,timestamp
7,x,5,10
007,x,3,20
007,y,4,30
é,y,1,40
é,y,2,50
"""

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the script in an empty directory on a small file; gives its exit status."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ratings.csv").write_text(RATINGS, encoding="utf-8")

    def run_script(*overrides: str) -> int:
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *overrides])
        try:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        except SystemExit as exit_:
            assert isinstance(exit_.code, int)
            return exit_.code
        return 0

    return run_script


def test_it_prints_counts_and_rules_and_ends_with_the_directory(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("data=table", "data.interactions=ratings.csv", "preparation.positive_threshold=4") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
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
    assert len(open_prepared(tmp_path / directory, verify=True).interactions) == 4


def test_it_leaves_nothing_else_behind(run: Run, tmp_path: Path) -> None:
    run("data=table", "data.interactions=ratings.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "ratings.csv"]


def test_prepared_data_are_opened_the_second_time(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    first = (run("data=table", "data.interactions=ratings.csv"), capsys.readouterr().out)
    assert (run("data=table", "data.interactions=ratings.csv"), capsys.readouterr().out) == first


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["preparation.invalid_rows=keep"], "error: preparation.invalid_rows must be error or drop, but is 'keep'"),
        (["preparation.min_user_interactions=9"], "error: The rules leave none of 5 interactions"),
        (["preparation.positive_threshold=6"], "error: No interaction reaches preparation.positive_threshold=6"),
    ],
)
def test_a_users_error_is_one_message(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], overrides: list[str], message: str
) -> None:
    assert run("data=table", "data.interactions=ratings.csv", *overrides) == 2
    output = capsys.readouterr()
    assert output.err.startswith(message)
    assert "Traceback" not in output.err + output.out
    assert not list(tmp_path.glob("data/prepared/[!.]*"))


def test_an_unknown_key_is_refused_without_a_traceback(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data=table", "data.interactions=ratings.csv", "preparation.min_users=5") == 1
    error = capsys.readouterr().err
    assert "Key 'min_users' is not in struct" in error
    assert "Traceback" not in error


def test_an_added_key_that_no_constructor_takes_is_refused_without_a_traceback(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("data=table", "data.interactions=ratings.csv", "+preparation.min_users=5") == 1
    error = capsys.readouterr().err
    assert "unexpected keyword argument 'min_users'" in error
    assert "Traceback" not in error


def test_an_unknown_data_set_is_refused_without_a_traceback(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data=movielens_9000m") == 1
    error = capsys.readouterr().err
    assert "Could not find 'data/movielens_9000m'" in error
    assert "movielens_100k" in error
    assert "Traceback" not in error
