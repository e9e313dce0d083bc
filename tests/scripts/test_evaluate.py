import json
import shutil

import pytest

from tests.scripts.test_train import SMALL


@pytest.fixture
def run(scripts, board):
    return scripts("train", *board, *SMALL).run


def test_gives_the_numbers_of_training(scripts, run):
    finished = scripts("evaluate", f"run={run}", "output=again.json")
    assert finished.status == 0, finished.err
    again = json.loads((scripts.directory / "again.json").read_text())
    assert again == json.loads((scripts.directory / run / "metrics.json").read_text())


def test_other_cut_offs_and_stages_can_be_asked_for(scripts, run):
    finished = scripts("evaluate", f"run={run}", "stage=valid", "evaluation.ks=[3]", "output=valid.json")
    assert finished.status == 0, finished.err
    metrics = json.loads((scripts.directory / "valid.json").read_text())
    assert "valid/ndcg@3" in metrics
    assert "ndcg@3" in finished.out


def test_a_missing_run_is_one_message(scripts):
    finished = scripts("evaluate", "run=nowhere")
    assert finished.status == 2
    assert "A run directory is required" in finished.err


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
