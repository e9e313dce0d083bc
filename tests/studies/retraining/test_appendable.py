from __future__ import annotations

import json

import pytest
from omegaconf import OmegaConf

from recsys.studies.retraining.appendable import appendable_settings, learns_in_epochs
from tests.studies.comparison.made_runs import make_run, table


def run_on_store(directory, best_epoch=0, **data):
    run = make_run(directory, "run", table([0.5, 0.6]))
    config = OmegaConf.load(run / "config.yaml")
    config.data = {"_target_": "recsys.data.readers.store.reader.StoreReader", "since": "2026-01-01", **data}
    OmegaConf.save(config, run / "config.yaml")
    content = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**content, "best_epoch": best_epoch}))
    return run


def test_newer_interactions_are_read_as_those_before(tmp_path):
    run = run_on_store(tmp_path, types=["click", "purchase"], values="weight")
    assert appendable_settings(run) == ["data.types=[click,purchase]", "data.values=weight"]


def test_catalogues_of_the_day_are_trained_anew(tmp_path):
    assert appendable_settings(run_on_store(tmp_path, available_only=True)) is None
    assert appendable_settings(tmp_path / "nowhere") is None


@pytest.mark.parametrize("epochs", [0, 3])
def test_models_with_epochs_may_drift(tmp_path, epochs):
    run = run_on_store(tmp_path, epochs)
    assert appendable_settings(run) == []
    assert learns_in_epochs(run) is (epochs > 0)
    assert not learns_in_epochs(tmp_path / "nowhere")
