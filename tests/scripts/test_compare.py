from __future__ import annotations

import numpy as np
import pytest

from tests.scripts.test_train import SMALL
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(60)


@pytest.fixture
def runs(scripts):
    return [
        str(make_run(scripts.directory / "runs", name, table(values)).relative_to(scripts.directory))
        for name, values in (("popularity", NOISE), ("ease", NOISE + 0.2), ("mf", NOISE + 0.1))
    ]


def test_prints_tables_and_names_the_page_it_wrote(scripts, runs):
    finished = scripts("compare", *runs)
    assert finished.status == 0, finished.err
    assert f"ease: {runs[1]}" in finished.out
    for title in ("Accuracy", "ndcg@10 against popularity", "ndcg@10, all pairs", "By segment", "Beyond accuracy"):
        assert title in finished.out
    last = finished.out.strip().splitlines()[-1]
    assert last == "comparison: comparison/compare.md"
    assert (scripts.directory / "comparison" / "compare.md").is_file()
    assert (scripts.directory / "comparison" / "compare.png").is_file()


def test_every_option_has_its_effect(scripts, runs):
    options = ["--metric", "recall", "--baseline", "mf", "--test", "wilcoxon", "--correction", "benjamini_hochberg"]
    finished = scripts("compare", *runs, *options, "--alpha", "0.01", "--output", "elsewhere", "--k", "10")
    assert finished.status == 0, finished.err
    out = " ".join(finished.out.split())
    assert "recall@10 against mf" in out
    assert "Wilcoxon signed-rank test, Benjamini and Hochberg's correction for 2 tests; * below 0.01" in out
    assert "99 % bootstrap intervals" in out
    assert (scripts.directory / "elsewhere" / "compare.md").is_file()


def test_compares_what_train_has_left(scripts, board):
    runs = [str(scripts("train", *board, *SMALL).run)]
    runs.append(str(scripts("train", *board, "model=popularity", "tracking=none").run))
    finished = scripts("compare", *runs)
    assert finished.status == 0, finished.err
    assert "ndcg@10 against mf" in finished.out
    refitted = str(scripts("train", *board, "model=popularity", "tracking=none", "refit=true").run)
    refused = scripts("compare", runs[0], refitted)
    assert refused.status == 2
    assert "must have the same split" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metric", "ndgc"], "error: The measure must be one that all runs have"),
        (["nowhere"], "error: A run directory is required, but nowhere has no config.yaml"),
    ],
)
def test_a_users_error_is_one_message(scripts, runs, arguments, message):
    finished = scripts("compare", *runs, *arguments)
    assert finished.status == 2
    assert finished.err.startswith(message)
    assert not (scripts.directory / "comparison").exists()


def test_one_run_alone_is_refused(scripts, runs):
    finished = scripts("compare", runs[0])
    assert finished.status == 2
    assert "at least two different runs" in finished.err
