import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from recsys.data.split import Split
from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory
from recsys.runs.run_manifest import RunManifest

MANIFEST = RunManifest(
    1, "2026-01-31T12:00:00", "toy", "data/prepared/toy", "abc", "def", 3, 4, 2, 1.5, {"python": "3.11"}
)


def finished(parent: Path) -> RunDirectory:
    run = RunDirectory.create(parent, "mf_toy")
    run.config_path.write_text("seed: 1\n", encoding="utf-8")
    run.save_model(nn.Linear(2, 3))
    run.finish({"test/ndcg@10": 0.25, "test/undefined": float("nan")}, MANIFEST)
    return run


def test_runs_made_in_the_same_second_have_directories_of_their_own(tmp_path):
    paths = {RunDirectory.create(tmp_path / "runs", "mf_toy").path for _ in range(3)}
    assert len(paths) == 3
    assert all(path.is_dir() and "mf_toy" in path.name for path in paths)


def test_what_was_finished_can_be_opened(tmp_path):
    path = finished(tmp_path).path
    run = RunDirectory.open(path)
    assert run.manifest() == MANIFEST


def test_metrics_are_valid_json_even_where_undefined(tmp_path):
    text = (finished(tmp_path).path / "metrics.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["test/undefined"] is None


def test_metrics_come_back_without_what_is_undefined(tmp_path):
    assert finished(tmp_path).metrics() == {"test/ndcg@10": 0.25}


@pytest.mark.parametrize("content", ["{", "[]", '{"test/ndcg@10": "high"}'])
def test_damaged_metrics_are_refused(tmp_path, content):
    run = finished(tmp_path)
    (run.path / "metrics.json").write_text(content)
    with pytest.raises(RunError, match="metrics.json cannot be read"):
        run.metrics()


def test_values_of_each_user_come_back_unchanged(tmp_path):
    run = finished(tmp_path)
    table = pa.table({"user_id": ["7", "007"], "ndcg@10": [0.1, None]})
    run.save_per_user(table)
    assert run.per_user().equals(table)


def test_a_run_without_values_of_each_user_says_how_to_make_them(tmp_path):
    run = finished(tmp_path)
    with pytest.raises(RunError, match=r"has no per_user.parquet.*evaluate.py run=.* save_per_user=true"):
        run.per_user()


def test_damaged_values_of_each_user_are_refused(tmp_path):
    run = finished(tmp_path)
    (run.path / "per_user.parquet").write_bytes(b"PAR1 not quite")
    with pytest.raises(RunError, match="per_user.parquet is damaged.*save_per_user=true"):
        run.per_user()


def test_weights_come_back_unchanged(tmp_path):
    torch.manual_seed(0)
    saved, loaded = nn.Linear(2, 3), nn.Linear(2, 3)
    run = RunDirectory.create(tmp_path, "toy")
    run.save_model(saved)
    run.load_model(loaded)
    assert torch.equal(saved.weight, loaded.weight)
    assert not list(run.path.glob("*.partial"))


def test_weights_that_cannot_be_written_leave_nothing_behind(tmp_path, monkeypatch):
    def full(state, path):
        path.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("recsys.runs.run_directory.save_file", full)
    run = RunDirectory.create(tmp_path, "toy")
    with pytest.raises(RunError, match="No space left.*resume="):
        run.save_model(nn.Linear(2, 3))
    assert list(run.path.iterdir()) == []


def test_a_path_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="A run directory is required, but .* has no config.yaml"):
        RunDirectory.open(tmp_path)


def test_an_unfinished_run_says_how_to_go_on(tmp_path):
    run = finished(tmp_path)
    (run.path / "run.json").unlink()
    with pytest.raises(RunError, match="was not finished.*resume="):
        RunDirectory.open(run.path)


@pytest.mark.parametrize("content", ["{", "{}", '{"format_version": 1}', '{"format_version": 1, "other": 2}', "[]"])
def test_a_damaged_manifest_is_refused(tmp_path, content):
    run = finished(tmp_path)
    (run.path / "run.json").write_text(content)
    with pytest.raises(RunError, match="is damaged"):
        run.manifest()


def test_another_format_version_is_refused(tmp_path):
    run = finished(tmp_path)
    (run.path / "run.json").write_text('{"format_version": 99}')
    with pytest.raises(RunError, match="Run format 2 is required, but .* has 99"):
        run.manifest()


def test_another_split_is_refused():
    rows = np.arange(4)
    split = Split(train=rows[:2], valid=rows[2:3], test=rows[3:])
    manifest = replace(MANIFEST, split_hash=split.content_hash())
    manifest.check_split(Split(train=rows[:2], valid=rows[2:3], test=rows[3:]))
    with pytest.raises(RunError, match=r"could not be made again .* \(python 3.11\)"):
        manifest.check_split(Split(train=rows[:1], valid=rows[1:3], test=rows[3:]))


def test_weights_of_another_model_are_refused(tmp_path):
    with pytest.raises(RunError, match=r"another model or data set \(bias: required \[5\], came \[3\]\)"):
        finished(tmp_path).load_model(nn.Linear(2, 5))


def test_missing_parameters_are_named(tmp_path):
    with pytest.raises(RunError, match=r"bias: required nothing, came \[3\]"):
        finished(tmp_path).load_model(nn.Linear(2, 3, bias=False))


def test_damaged_weights_are_refused(tmp_path):
    run = finished(tmp_path)
    (run.path / "model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(RunError, match="cannot be read"):
        run.load_model(nn.Linear(2, 3))


def test_history_is_a_table_and_a_picture(tmp_path):
    run = RunDirectory.create(tmp_path, "toy")
    rows = [{"epoch": e, "train/loss": 1 / e, "valid/ndcg@10": e / 10, "train/seconds": 0.1} for e in (1, 2, 3)]
    run.save_history(rows, "Toy")
    assert (run.path / "history.csv").read_text().splitlines()[0] == "epoch,train/loss,valid/ndcg@10,train/seconds"
    assert (run.path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_history_without_validation_has_a_picture_too(tmp_path):
    run = RunDirectory.create(tmp_path, "toy")
    run.save_history([{"epoch": 1, "train/loss": 1.0, "train/seconds": 0.1}], "Toy")
    assert (run.path / "curves.png").is_file()


def test_a_model_without_epochs_has_no_history(tmp_path):
    run = RunDirectory.create(tmp_path, "toy")
    run.save_history([], "Toy")
    assert list(run.path.iterdir()) == []
