import json

import pandas as pd
import pytest

import recsys
from recsys.errors import RunError, SettingsError
from recsys.runs.trained_run import open_run, split_of_run
from tests.scripts.running import Scripts


def test_a_run_is_what_the_commands_open(model, split, tmp_path, monkeypatch, capsys):
    report = recsys.evaluate(model, split, bootstrap_samples=0)
    path = model.save(tmp_path / "runs" / "mine", report=report)
    run = open_run(path)
    assert run.directory.metrics() == report.metrics
    assert split_of_run(run)[1].content_hash() == split.rows("implicit").content_hash()
    assert run.prepared.directory == path / "data"
    scripts = Scripts(tmp_path, monkeypatch, capsys)
    finished = scripts("recommend", f"run={path}", "user=104", "k=2")
    assert finished.status == 0 and finished.out.count("Square") == 2
    again = scripts("evaluate", f"run={path}", "evaluation.bootstrap_samples=0", "output=again.json")
    assert again.status == 0, again.err
    own = {name: value for name, value in report.metrics.items() if not name.startswith("baseline/")}
    assert json.loads((tmp_path / "again.json").read_text(encoding="utf-8")) == own


def test_a_run_may_be_moved(model, tmp_path):
    model.save(tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "second")
    opened = recsys.load_run(tmp_path / "second")
    pd.testing.assert_frame_equal(opened.recommend(104, k=2), model.recommend(104, k=2))


def test_data_that_stay_are_not_copied(tmp_path):
    data = recsys.Dataset.synthetic(directory=tmp_path, num_users=20, num_items=30, num_interactions=50)
    path = recsys.Popularity().fit(data).save(tmp_path / "run")
    assert not (path / "data").exists()
    assert recsys.load_run(path).recommend(k=1)["user_id"].nunique() == 20


def test_what_is_there_is_not_overwritten(model, tmp_path):
    with pytest.raises(RunError, match="saved to a new directory, but .* is there. Choose another, or remove it"):
        model.save(tmp_path)


def test_a_failure_leaves_nothing_behind(model, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recsys.runs.run_directory.save_file", full)
    with pytest.raises(OSError, match="No space"):
        model.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_answers_as_the_model_does(model, bundle_path):
    bundle = recsys.load_bundle(bundle_path)
    lists = bundle.recommend([104, 101], k=3)
    assert lists["item_id"].tolist() == model.recommend([104, 101], k=3)["item_id"].tolist()
    assert bundle.bundle.manifest.retriever.run == "EASE_board"


def test_a_setting_of_a_bundle_that_does_not_exist_is_refused(model, tmp_path):
    with pytest.raises(SettingsError, match="no setting 'neighbours'; it has .*num_neighbours"):
        model.export(tmp_path / "bundle", neighbours=5)
