from __future__ import annotations

import numpy as np
import pandas as pd
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
    options = ["metric=recall", "baseline=mf", "test=wilcoxon", "correction=benjamini_hochberg"]
    finished = scripts("compare", f"runs=[{','.join(runs)}]", *options, "alpha=0.01", "output=elsewhere", "k=10")
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
        (["metric=ndgc"], "error: The measure must be one that all runs have"),
        (["--metric", "ndcg"], "error: The option '--metric' is a setting now. Write metric=VALUE instead."),
        (["repeats=keep"], "error: repeats=keep needs newer=FILE. Runs of one split are compared by what they were"),
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


def test_champion_and_challenger_are_compared_on_what_none_of_them_knows(scripts, board):
    plain = [*board, "tracking=none", "show_users=0", "evaluation.bootstrap_samples=10"]
    runs = [str(scripts("train", *plain, f"model={name}", "refit=all").run) for name in ("popularity", "ease")]
    known = pd.read_csv(scripts.directory / "interactions.csv", dtype=str)
    pairs = known.merge(known[["item_id"]].drop_duplicates(), how="cross")[["user_id", "item_id_y"]].drop_duplicates()
    newer = pairs.rename(columns={"item_id_y": "item_id"}).merge(known, how="left", indicator=True)
    newer = newer[newer["_merge"] == "left_only"][["user_id", "item_id"]].groupby("user_id").head(1)
    pd.concat([newer, known.head(3)]).to_csv(scripts.directory / "newer.csv", index=False)
    finished = scripts("compare", *runs, "newer=newer.csv", "k=5")
    assert finished.status == 0, finished.err
    assert f"newer.csv: {len(newer) + 3} interactions, of which {len(newer)} of" in finished.out
    assert "3 known to a contestant already" in finished.out
    assert "keep " in finished.out or "promote " in finished.out
    assert finished.out.strip().splitlines()[-1] == "comparison: comparison/newer.md"
    refused = scripts("evaluate", f"run={runs[0]}")
    assert refused.status == 2 and "was trained on all of" in refused.err
