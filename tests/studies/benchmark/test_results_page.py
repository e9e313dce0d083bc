from __future__ import annotations

import numpy as np
import pytest

from recsys.studies.benchmark.results_page import write_results
from recsys.studies.benchmark.tuned_models import TunedModel
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(40)
LEVELS = {"popularity": 0.0, "ease": 0.4, "mf": 0.2}


@pytest.fixture
def report(tmp_path):
    runs = open_runs([make_run(tmp_path, name, table(NOISE + level)) for name, level in LEVELS.items()])
    rows = [TunedModel(name, name, ("data=toy", f"model={name}")) for name in LEVELS]
    path = tmp_path / "docs" / "results.md"
    write_results(path, "python scripts/benchmark_models.py data=toy", rows, runs, Settings(baseline="popularity"))
    return path


def test_models_are_ordered_by_their_accuracy(report):
    text = report.read_text(encoding="utf-8")
    results = text[text.index("## Results") : text.index("## ndcg@10 against")]
    names = [line.split("|")[1].strip() for line in results.splitlines() if line.startswith("| ")]
    assert names == ["model", "---", "ease", "mf", "popularity"]


def test_models_are_tested_against_the_best_and_against_the_baseline(report):
    text = report.read_text(encoding="utf-8")
    assert text.index("## ndcg@10 against ease") < text.index("## ndcg@10 against popularity")


def test_it_says_what_repeats_it_and_what_it_ran_on(report):
    text = report.read_text(encoding="utf-8")
    assert "`python scripts/benchmark_models.py data=toy`, 20" in text
    assert " cores, " in text and "python 3.11" in text
    assert "- mf: `python scripts/train.py data=toy model=mf`" in text


def test_the_picture_stands_beside_the_page(report):
    assert "](results.png)" in report.read_text(encoding="utf-8")
    assert report.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
