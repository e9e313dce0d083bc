import json
import shutil

import pyarrow.parquet as pq
import pytest

from tests.scripts.test_train import SMALL


@pytest.fixture
def run(scripts, board):
    return scripts.trained(*board, *SMALL)


def test_gives_the_numbers_of_training(scripts, run):
    finished = scripts("evaluate", f"run={run}", "output=again.json")
    assert finished.status == 0, finished.err
    again = json.loads((scripts.directory / "again.json").read_text())
    kept = json.loads((scripts.directory / run / "metrics.json").read_text())
    assert again == {name: value for name, value in kept.items() if not name.startswith("baseline/")}
    # The baseline has the same numbers beside it.
    assert {f"baseline/{name}" for name in again} <= kept.keys()


def test_other_cut_offs_and_stages_can_be_asked_for(scripts, run):
    finished = scripts("evaluate", f"run={run}", "stage=valid", "evaluation.ks=[3]", "output=valid.json")
    assert finished.status == 0, finished.err
    metrics = json.loads((scripts.directory / "valid.json").read_text())
    assert "valid/ndcg@3" in metrics
    assert "ndcg@3" in finished.out


def test_values_of_each_user_can_be_written_for_a_run_that_has_none(scripts, run):
    path = scripts.directory / run / "per_user.parquet"
    written = pq.read_table(path)
    path.unlink()
    assert scripts("evaluate", f"run={run}").status == 0
    assert not path.exists()
    assert scripts("evaluate", f"run={run}", "save_per_user=true").status == 0
    assert pq.read_table(path).equals(written)


def test_values_of_validation_users_are_not_kept(scripts, run):
    finished = scripts("evaluate", f"run={run}", "stage=valid", "save_per_user=true")
    assert finished.status == 2
    assert "keeps the values of its test users" in finished.err


def test_a_missing_run_is_one_message(scripts):
    finished = scripts("evaluate", "run=nowhere")
    assert finished.status == 2
    assert "A run directory is required" in finished.err


def test_a_file_that_cannot_be_written_is_refused_before_a_run_is_opened(scripts):
    finished = scripts("evaluate", "run=nowhere", "output=.")
    assert finished.status == 2
    assert "A file is required for the metrics, but . is a directory. Choose another output=" in finished.err


def test_an_unknown_stage_is_refused(scripts, run):
    finished = scripts("evaluate", f"run={run}", "stage=train")
    assert finished.status == 2
    assert "stage must be valid or test" in finished.err


def test_changed_data_are_refused(scripts, run):
    shutil.rmtree(scripts.directory / "data")  # so that they have to be prepared anew
    with (scripts.directory / "interactions.csv").open("a") as file:
        file.write("\nu000,01")
    finished = scripts("evaluate", f"run={run}")
    assert finished.status == 2
    assert "was trained on" in finished.err
