"""What is trained and exported in a retraining; the commands are made up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recsys.data.readers.store.database import StoreDatabase
from recsys.errors import RunError
from recsys.runtime.bundle import TRAINING_SETTINGS
from recsys.studies.retraining.retraining_settings import RetrainingSettings
from recsys.studies.retraining.training_stages import TrainingStages
from tests.export.board_bundles import board_bundle

DATABASE = StoreDatabase.locate("postgresql://user@host/name")


class FakeCommands:
    """Notes what is run."""

    def __init__(self):
        self.commands = []

    def __call__(self, name, arguments, log, variables=None):
        self.commands.append((name, list(arguments)))
        return Path(f"made/{len(self.commands)}")


def stages(live, commands, tmp_path, **settings):
    return TrainingStages(live, RetrainingSettings(**settings), DATABASE, tmp_path / "work", commands)


def test_without_a_model_those_of_the_live_bundle_are_trained_anew(tmp_path):
    live, commands = board_bundle("ease", ranker="pure_svd"), FakeCommands()
    made = stages(live, commands, tmp_path, train=["data.since=2026-01-01"], export=["popular_days=30"])
    assert made.described == "the models of ease"
    assert made.train_challenger("2026-02-01T00:00:00Z") == Path("made/3")
    (_, first), (_, second), (_, export) = commands.commands
    assert f"settings_of={live}/training.yaml" in first and f"settings_of={live}/ranker_training.yaml" in second
    assert {"data=store", "data.since=2026-01-01", "data.until='2026-02-01T00:00:00Z'"} <= set(first) & set(second)
    assert export[:2] == ["run=made/1", "ranker=made/2"]
    assert export[-2:] == [f"settings_of={live}/export.yaml", "popular_days=30"]


def test_the_last_training_is_on_the_same_data_until_now(tmp_path):
    commands = FakeCommands()
    made = stages(board_bundle("ease"), commands, tmp_path, train=["data.since=2026-01-01", "model.l2=9"])
    made.train_challenger("2026-02-01T00:00:00Z")
    made.train_final(tmp_path / "bundle")
    name, final = commands.commands[2]
    assert name == "train"
    assert {"chosen_by=made/1", "data=store", "data.since=2026-01-01"} <= set(final)
    assert [one for one in final if one.startswith("data.until=")] and "model.l2=9" not in final
    assert not any(one.startswith("settings_of") for one in final)


def test_a_model_that_is_named_is_trained_in_their_place(tmp_path):
    commands = FakeCommands()
    made = stages(board_bundle("ease"), commands, tmp_path, train=["model=content"])
    made.train_challenger("2026-02-01T00:00:00Z")
    assert "model=content" in commands.commands[0][1]
    assert not any("settings_of" in one for _, arguments in commands.commands for one in arguments)


def test_a_bundle_that_does_not_say_how_it_was_trained_is_told(tmp_path):
    old = tmp_path / "old"
    shutil.copytree(board_bundle("ease"), old)
    (old / TRAINING_SETTINGS).unlink()
    with pytest.raises(RunError, match="old are to be trained anew, but it has no training.yaml"):
        stages(old, FakeCommands(), tmp_path)
