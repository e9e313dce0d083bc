from __future__ import annotations

import json

import pytest
from omegaconf import OmegaConf

from recsys.studies.retraining.appendable import appendable_settings
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


@pytest.mark.parametrize(("epochs", "data"), [(3, {}), (0, {"available_only": True})])
def test_models_with_epochs_and_catalogues_of_the_day_are_trained_anew(tmp_path, epochs, data):
    assert appendable_settings(run_on_store(tmp_path, epochs, **data)) is None
    assert appendable_settings(tmp_path / "nowhere") is None
