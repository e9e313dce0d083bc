import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf


def test_two_devices_leave_one_run_like_that_of_one(scripts, board):
    small = ["model=mf", "model.embedding_dim=8", "tracking=none", "trainer.max_epochs=2", "trainer.accelerator=cpu"]
    one = scripts("train", *board, *small, "show_users=0").run
    one, before = scripts.directory / one, set((scripts.directory / "runs").iterdir())
    finished = scripts("train", *board, *small, "show_users=0", "trainer.devices=2")
    assert finished.status == 0, finished.err
    (two,) = set((scripts.directory / "runs").iterdir()) - before
    assert sorted(path.name for path in two.iterdir()) == sorted(path.name for path in one.iterdir())
    assert OmegaConf.load(two / "config.yaml").trainer.devices == 2
    assert _metrics(two) == pytest.approx(_metrics(one), rel=1e-6)


def _metrics(run: Path) -> dict[str, float]:
    return {key: value for key, value in json.loads((run / "metrics.json").read_text()).items() if value is not None}
