from __future__ import annotations

import re

from tests.scripts.test_train import SMALL


def names(directory):
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_a_run_that_was_copied_is_the_run_that_was_trained(scripts, board):
    settings = [*board, *SMALL, "seed=14"]
    first = scripts.trained(*settings)
    trained = {name: (scripts.directory / name).read_bytes() for name in names(scripts.directory)}
    for part in ("runs", "data"):
        (scripts.directory / part).rename(scripts.directory / f"before_{part}")
    assert scripts.trained(*settings) == first
    assert {name: (scripts.directory / name).read_bytes() for name in trained} == trained
    assert re.match(r"runs/[\d_-]+_mf_table$", str(first))
    finished = scripts("recommend", f"run={first}", "user=u004", "k=2")
    assert finished.status == 0, finished.err


def test_other_settings_and_other_tables_are_trained(scripts, board):
    first = scripts.trained(*board, *SMALL, "seed=15")
    assert scripts.trained(*board, *SMALL, "seed=16") != first
    with (scripts.directory / "interactions.csv").open("a") as file:
        file.write("\nu000,01")
    assert scripts.trained(*board, *SMALL, "seed=15") != first
