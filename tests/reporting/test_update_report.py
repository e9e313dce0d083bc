from dataclasses import replace
from pathlib import Path

from recsys.reporting.update_report import lineage_table, write_update_report
from recsys.runs.updating.lineage import Ancestor
from tests.runs.updating.test_update_record import RECORD
from tests.studies.comparison.made_runs import MANIFEST

METRICS = {"test/ndcg@10": 0.25, "test/ndcg@10_low": 0.2, "test/ndcg@10_high": 0.3}


def runs(drift=RECORD.drift):
    first = Ancestor(Path("runs/a"), MANIFEST, METRICS, None)
    return [first, Ancestor(Path("runs/b"), MANIFEST, {}, replace(RECORD, drift=drift))]


def test_the_page_has_the_lineage_and_what_refits_showed(tmp_path):
    page = write_update_report(runs(), tmp_path).read_text()
    assert "IALS was updated. The run is update 4 of its lineage." in page
    assert "| a |  | 60 | 40 | 0.2 | 0.2500 [0.2000, 0.3000] |  |" in page
    assert "| b | 100 | 60 | 40 | 0.2 |  | +0.0100 [+0.0040, +0.0160], refit taken |" in page
    assert "- update 4: a refit on all interactions has ndcg@10 0.2100" in page
    assert (tmp_path / "drift.png").is_file()


def test_without_a_comparison_there_is_no_picture(tmp_path):
    page = write_update_report(runs(None), tmp_path).read_text()
    assert "png" not in page and not (tmp_path / "drift.png").exists()
    assert [str(column) for column in lineage_table(runs()).columns][0] == "run"
