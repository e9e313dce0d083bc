from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import RunError
from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.comparison.report import write_report
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(30)


def comparison(parent, **options):
    return compare(open_runs([make_run(parent, name, table(NOISE), **options) for name in ("mf", "ease")]), Settings())


def test_a_page_names_the_runs_and_shows_the_picture_and_all_tables(tmp_path):
    found = comparison(tmp_path / "runs")
    report = write_report(found, tmp_path / "out" / "deep")
    text = report.read_text(encoding="utf-8")
    assert text.startswith("# 2 runs on toy\n")
    for run in found.runs:
        assert f"- {run.label}: `{run.path}`" in text
    assert "](compare.png)" in text
    assert (report.parent / "compare.png").read_bytes().startswith(b"\x89PNG")
    for title in ("## Accuracy", "## ndcg@10 against mf", "## By segment", "## Beyond accuracy, top 10"):
        assert title in text


def test_what_the_runs_did_not_measure_is_left_out_of_the_picture(tmp_path):
    report = write_report(comparison(tmp_path / "runs", metrics={}, fit_seconds=0.0), tmp_path)
    assert (report.parent / "compare.png").is_file()


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be made .*Choose another --output"):
        write_report(comparison(tmp_path / "runs"), tmp_path / "file")
