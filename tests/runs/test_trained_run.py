import json
import warnings
from pathlib import Path

import pytest
import torch

from recsys.errors import DataWarning, RunError
from recsys.runs.trained_run import open_run, split_of_run
from tests.scripts.conftest import board, scripts  # noqa: F401


@pytest.fixture
def run(scripts, board):  # noqa: F811
    finished = scripts("train", *board, "model=ease", "tracking=none", "split=leave_random_out")
    assert finished.status == 0, finished.err
    return scripts.directory / finished.run


def test_a_run_is_opened_with_its_data_its_model_and_its_split(run):
    opened = open_run(run)
    assert not opened.model.training
    assert opened.prepared.schema.content_hash == opened.manifest.data_hash
    assert torch.isfinite(next(iter(opened.model.state_dict().values()))).all()
    view, split = split_of_run(opened)
    assert view.kind == "implicit"
    assert split.content_hash() == opened.manifest.split_hash


def test_another_split_than_that_of_the_training_is_refused(run):
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"split_hash": "0" * 64}))
    with pytest.raises(RunError, match="The split could not be made again"):
        split_of_run(open_run(run))


def test_other_data_than_those_of_the_training_are_refused(run):
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data_hash": "0" * 64}))
    with pytest.raises(RunError, match="The run was trained on table with content hash 000000000000"):
        open_run(run)


def test_prepared_data_that_are_gone_are_prepared_again(run, scripts):  # noqa: F811
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data_directory": "gone"}))
    assert open_run(run).prepared.directory.is_dir()


def test_a_run_of_an_earlier_version_is_told(run, scripts):  # noqa: F811
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 1}))
    with pytest.raises(
        RunError, match="was written by an earlier version of recsys.* Train again with the same settings"
    ):
        open_run(run)
    finished = scripts("evaluate", f"run={run}")
    assert finished.status == 2
    assert finished.err.count("error:") == 1 and "earlier version" in finished.err


def test_a_finished_run_does_not_warn_of_its_data_again(run):
    directory = open_run(run).prepared.directory
    schema = json.loads((directory / "schema.json").read_text(encoding="utf-8"))
    (directory / "schema.json").write_text(json.dumps(schema | {"warnings": ["3 of 4: mend"]}), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        assert open_run(run).prepared.schema.warnings == ("3 of 4: mend",)


@pytest.mark.parametrize("content", ["", "a: 1\n"])
def test_a_configuration_that_is_none_of_a_run_is_refused(run, content):
    (run / "config.yaml").write_text(content)
    with pytest.raises(RunError, match=r"config\.yaml is damaged: it has no data, split, model"):
        open_run(run)


def test_data_that_are_gone_and_cannot_be_prepared_again_are_told(run):
    data = Path(json.loads((run / "run.json").read_text())["data_directory"])
    data.rename(data.with_name("elsewhere"))
    (run.parents[1] / "interactions.csv").unlink()
    with pytest.raises(RunError, match="are gone from .* and could not be prepared again: .*interactions.csv"):
        open_run(run)
