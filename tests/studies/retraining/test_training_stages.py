"""The trainings of a plan; the commands are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.data.readers.store.database import StoreDatabase
from recsys.errors import RunError
from recsys.studies.retraining.training_plan import TrainingPlan
from recsys.studies.retraining.training_stages import TrainingStages

DATABASE = StoreDatabase.locate("postgresql://user@host/name")
SINCE = "data.since=2026-01-01"


class FakeCommands:
    """Notes what is run."""

    def __init__(self):
        self.commands = []
        self.logs = []

    def __call__(self, name, arguments, log, variables=None):
        self.commands.append((name, list(arguments)))
        self.logs.append(log.name)
        return Path(f"made/{len(self.commands)}")


def stages(commands, tmp_path, *ranker, name="challenger", start=None):
    trainings = {"retriever": ["settings_of=a", SINCE, "model.l2=9"], **dict(ranker)}
    plan = TrainingPlan("x", trainings, ["settings_of=c", "popular_days=30"])
    return TrainingStages(plan, DATABASE, tmp_path / "work", commands, name, start)


def test_all_models_are_trained_on_the_same_data_and_exported_together(tmp_path):
    commands = FakeCommands()
    made = stages(commands, tmp_path, ("ranker", ["settings_of=b", SINCE]))
    assert made.train_challenger("2026-02-01T00:00:00Z") == Path("made/3")
    (_, first), (_, second), (_, export) = commands.commands
    assert "settings_of=a" in first and "settings_of=b" in second
    assert {"data=store", SINCE, "data.until='2026-02-01T00:00:00Z'"} <= set(first) & set(second)
    assert export[:2] == ["run=made/1", "ranker=made/2"]
    assert export[-2:] == ["settings_of=c", "popular_days=30"]


def test_the_last_training_is_on_the_same_data_until_now(tmp_path):
    commands = FakeCommands()
    made = stages(commands, tmp_path)
    made.train_challenger("2026-02-01T00:00:00Z")
    made.train_final(tmp_path / "bundle")
    name, final = commands.commands[2]
    assert name == "train"
    assert {"chosen_by=made/1", "data=store", SINCE} <= set(final)
    assert [one for one in final if one.startswith("data.until=")] and "model.l2=9" not in final
    assert not any(one.startswith("settings_of") for one in final)


def test_a_model_that_is_only_measured_is_not_exported(tmp_path):
    commands = FakeCommands()
    assert stages(commands, tmp_path, name="candidate_2").train("2026-02-01T00:00:00Z") == Path("made/1")
    assert commands.logs == ["candidate_2.log"]


@pytest.fixture
def appendable(monkeypatch):
    monkeypatch.setattr("recsys.studies.retraining.training_stages.appendable_settings", lambda run: ["data.types=[a]"])


def test_a_model_that_can_be_updated_goes_on_from_its_last_run(tmp_path, appendable):
    commands = FakeCommands()
    made = stages(commands, tmp_path, start=(Path("candidate"), "2026-01-01T00:00:00Z"))
    made.train_challenger("2026-02-01T00:00:00Z")
    made.train_final(tmp_path / "bundle")
    names = [name for name, _ in commands.commands]
    assert names == ["prepare", "update", "export", "prepare", "update", "export"]
    (_, prepared), (_, updated) = commands.commands[:2]
    assert {"data.types=[a]", "data.since='2026-01-01T00:00:00Z'", "data.until='2026-02-01T00:00:00Z'"} <= set(prepared)
    assert updated[:2] == ["run=candidate", "interactions=made/1"]
    (_, prepared), (_, updated), (_, export) = commands.commands[3:]
    assert "data.since='2026-02-01T00:00:00Z'" in prepared
    assert updated[:2] == ["run=made/2", "interactions=made/4"] and export[0] == "run=made/5"


def test_what_went_on_in_epochs_may_be_trained_anew(tmp_path, appendable, monkeypatch):
    monkeypatch.setattr("recsys.studies.retraining.training_stages.learns_in_epochs", lambda run: True)
    commands = FakeCommands()
    made = stages(commands, tmp_path, start=(Path("candidate"), "2026-01-01T00:00:00Z"))
    made.train_challenger("2026-02-01T00:00:00Z")
    assert made.may_have_drifted
    made.refit_challenger("2026-02-01T00:00:00Z")
    assert not made.may_have_drifted
    made.train_final(tmp_path / "bundle")
    names = [name for name, _ in commands.commands]
    assert names == ["prepare", "update", "export", "train", "export", "prepare", "update", "export"]
    assert commands.commands[6][1][0] == "run=made/4"
    assert len(set(commands.logs)) == len(commands.logs)


def test_what_cannot_be_appended_is_trained_as_before(tmp_path, appendable):
    commands = FakeCommands()

    def no_rows(name, arguments, log, variables=None):
        if name == "prepare":
            raise RunError("prepare ended with status 2")
        return commands(name, arguments, log, variables)

    made = stages(no_rows, tmp_path, start=(Path("candidate"), "2026-01-01T00:00:00Z"))
    made.train_challenger("2026-02-01T00:00:00Z")
    made.train_final(tmp_path / "bundle")
    assert [name for name, _ in commands.commands] == ["train", "export", "train", "export"]


def test_two_models_are_trained_anew(tmp_path, appendable):
    commands = FakeCommands()
    made = stages(commands, tmp_path, ("ranker", ["settings_of=b"]), start=(Path("candidate"), "2026-01-01T00:00:00Z"))
    made.train_challenger("2026-02-01T00:00:00Z")
    assert [name for name, _ in commands.commands] == ["train", "train", "export"]
