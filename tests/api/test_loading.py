import pandas as pd
import pytest

import recsys
from recsys.errors import BundleError, RunError
from tests.scripts.running import Scripts


def test_a_saved_model_is_what_it_was(model, split, tmp_path):
    opened = recsys.load_run(model.save(tmp_path / "run"))
    assert type(opened) is recsys.EASE and opened.get_params() == model.get_params()
    pd.testing.assert_frame_equal(opened.recommend(k=3), model.recommend(k=3))
    assert (
        recsys.evaluate(opened, bootstrap_samples=0).metrics
        == recsys.evaluate(model, split, bootstrap_samples=0).metrics
    )


def test_a_run_of_a_command(tmp_path, monkeypatch, capsys):
    settings = ["data=synthetic", "data.num_users=40", "data.num_items=50", "data.num_interactions=200"]
    settings += ["model=ease", "model.recency.step_decay=0.5", "tracking=none", "show_users=0", "refit=true", "seed=3"]
    run = tmp_path / Scripts(tmp_path, monkeypatch, capsys)("train", *settings).run
    opened = recsys.load_run(run)
    assert repr(opened) == "EASE(recency={'step_decay': 0.5, 'day_decay': 1.0}, seed=3)"
    assert opened.get_params()["recency"]["step_decay"] == 0.5 and opened.get_params()["seed"] == 3
    assert opened.fitted.trained_on == "training and validation" and len(opened.fitted.rows.valid) == 0
    assert opened.split.data.name == "synthetic"
    assert len(opened.fit(opened.split.train).recommend(k=1)) == 40


def test_a_model_of_everything(data, tmp_path):
    opened = recsys.load_run(recsys.Popularity().fit(data).save(tmp_path / "run"))
    assert len(opened.fitted.learnt) == 300 and opened.fitted.trained_on == "all interactions"


def test_what_is_no_run_or_bundle_is_refused(tmp_path):
    with pytest.raises(RunError, match="run directory is required"):
        recsys.load_run(tmp_path)
    with pytest.raises(BundleError, match="bundle is required"):
        recsys.load_bundle(tmp_path)


def test_tables_in_memory_that_are_gone_are_told_of(model, tmp_path):
    path = model.save(tmp_path / "run")
    (path / "data" / "schema.json").unlink()
    with pytest.raises(RunError, match=r"trained on tables in memory, and their prepared data are gone"):
        recsys.load_run(path)
