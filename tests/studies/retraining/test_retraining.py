"""From the store to a live bundle; what is trained and exported is made up."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock

from recsys.errors import DataError, RunError
from recsys.studies.retraining.retraining import Retraining
from recsys.studies.retraining.retraining_settings import RetrainingSettings
from tests.export.board_bundles import board_bundle


@dataclass
class FakeService:
    """Notes what is promoted."""

    live: str = "first"
    fails: bool = False
    notes: list[tuple[str, str]] = field(default_factory=list)

    def live_bundle(self) -> str:
        return self.live

    def recent_bundles(self) -> list[str]:
        return [self.live]

    def promote(self, bundle: str, content_hash: str, note: str) -> None:
        if self.fails:
            raise RunError("it cannot be opened")
        self.live = bundle
        self.notes.append((content_hash, note))


@dataclass
class FakeStages:
    """Exports a bundle of the board whatever is trained."""

    fails: str | None = None
    commands: list[tuple[str, list[str]]] = field(default_factory=list)

    def __call__(self, name, arguments, log, variables=None):
        if name == self.fails:
            raise RunError(f"{name} failed")
        self.commands.append((name, list(arguments)))
        if name == "train":
            return board_bundle("ease") if log.name.startswith("candidate") else Path("runs/made")
        output = Path(next(one for one in arguments if one.startswith("output=")).removeprefix("output="))
        shutil.copytree(board_bundle("ease"), output)
        return output


@pytest.fixture
def stages():
    return FakeStages()


@pytest.fixture
def known(visited):
    """The store with the users of the board as well."""
    for number in range(40):
        visited.users.create(f"u{number:02}")
    return visited


@pytest.fixture
def make(database, stages, tmp_path):
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    shutil.copytree(board_bundle("ease"), bundles / "first")

    said, shown = [], []

    def retrained(service, **settings):
        given = RetrainingSettings(**{"min_held_out": 10, "models": ["live"], **settings})
        return Retraining(
            service, database, bundles, tmp_path / "var", given, said.append, stages, lambda table: shown.append(table)
        )

    retrained.said, retrained.shown = said, shown
    return retrained


def names(tmp_path):
    return sorted(path.name for path in (tmp_path / "bundles").iterdir())


def test_what_is_not_worse_is_trained_on_everything_and_made_live(known, stages, make, tmp_path):
    service = FakeService()
    result = make(service).run()
    assert result.promoted == result.live == service.live
    assert names(tmp_path) == ["first", service.live]
    assert [name for name, _ in stages.commands] == ["train", "export", "train", "export"]
    assert "data.until='2026-01-31T15:00:00Z'" in stages.commands[0][1]
    assert "chosen_by=runs/made" in stages.commands[2][1]
    assert service.notes[0][1].endswith("it is not worse")


def test_what_does_not_keep_to_the_rule_is_not(known, stages, make, tmp_path):
    service = FakeService()
    result = make(service, tolerance=0.0).run()  # the same model is not better than itself
    assert (result.promoted, result.live, service.live) == (None, "first", "first")
    assert names(tmp_path) == ["first"]


def test_what_went_on_from_an_earlier_training_gets_a_second_one(known, stages, make, monkeypatch):
    monkeypatch.setattr(
        "recsys.studies.retraining.retraining.TrainingStages.may_have_drifted",
        property(lambda self: self._name == "challenger"),
    )
    result = make(FakeService(), tolerance=0.0).run()
    assert result.promoted is None
    assert [name for name, _ in stages.commands] == ["train", "export", "train", "export"]
    assert any("training it anew" in text for text in make.said)


def test_the_best_candidate_on_what_came_before_is_trained(known, stages, make, tmp_path):
    service = FakeService()
    result = make(service, models=["live", "ease", "popularity"], held_out="all", min_held_out=1).run()
    trainings = [arguments for name, arguments in stages.commands if name == "train"]
    assert len(trainings) == 5  # three to choose from, the challenger, and that of everything
    for candidate in trainings[:3]:  # nothing that the challenger is tested on, nor what it is chosen by
        assert "data.until='2026-01-31T14:00:00Z'" in candidate
    assert "data.until='2026-01-31T15:00:00Z'" in trainings[3]
    [table] = make.shown  # all have the same bundle here, so the first is best
    assert [row[0].text for row in table.rows] == ["live", "ease", "popularity"]
    assert f"settings_of={tmp_path / 'bundles' / 'first'}/training.yaml" in trainings[3]
    assert "model=ease" not in trainings[3]
    assert "Models to choose from" in (tmp_path / "var" / result.live / "candidates.md").read_text()


def test_with_too_few_interactions_to_choose_by_it_is_the_first_candidate(known, stages, make):
    make(FakeService(), models=["ease", "live"]).run()  # all but the last interactions were prompted
    assert [name for name, _ in stages.commands] == ["train", "export", "train", "export"]
    assert "model=ease" in stages.commands[0][1]
    assert any("0 interactions before them are too few to choose a model by" in text for text in make.said)


def test_without_new_interactions_nothing_is_trained(known, stages, make):
    result = make(FakeService(), min_held_out=21).run()
    assert result.promoted is None
    assert result.reason == "20 newest interactions that no list prompted are fewer than min_held_out=21"
    assert stages.commands == []


@pytest.mark.parametrize("stage", ["train", "export"])
def test_a_stage_that_fails_leaves_the_live_bundle(known, stages, make, tmp_path, stage):
    stages.fails = stage
    service = FakeService()
    with pytest.raises(RunError, match=f"{stage} failed"):
        make(service).run()
    assert service.live == "first"
    assert names(tmp_path) == ["first"]


def test_a_bundle_that_cannot_be_made_live_is_deleted(known, stages, make, tmp_path):
    with pytest.raises(RunError, match="cannot be opened"):
        make(FakeService(fails=True)).run()
    assert names(tmp_path) == ["first"]


def test_a_bundle_with_a_user_who_was_erased_meanwhile_is_deleted(known, stages, make, tmp_path):
    known.users.update("u05", profiling=False)
    service = FakeService()
    with pytest.raises(DataError, match="1 users were erased"):
        make(service).run()
    assert service.live == "first"
    assert names(tmp_path) == ["first"]


def test_nothing_that_knows_users_stays_but_the_bundle(known, stages, make, tmp_path):
    make(FakeService()).run()
    [page] = (tmp_path / "var").glob("*/*")
    assert page.name == "newer.md"
    assert not any(name in page.read_text(encoding="utf-8") for name in ("n00", "n01"))


def test_what_a_killed_retraining_has_left_is_deleted(known, stages, make, tmp_path):
    left = tmp_path / "var" / "retrained-1" / "work"
    left.mkdir(parents=True)
    make(FakeService(), min_held_out=1000).run()
    assert not left.exists()


def test_old_bundles_go_but_the_live_one_and_the_one_before(known, stages, make, tmp_path):
    made = [f"retrained-2025010{day}-120000" for day in (1, 2, 3)]
    for name in made:
        shutil.copytree(board_bundle("ease"), tmp_path / "bundles" / name)
    service = FakeService(live=made[1])
    result = make(service, keep=1).run()
    assert list(result.deleted) == [made[0], made[2]]
    assert names(tmp_path) == ["first", made[1], service.live]


def test_one_at_a_time(known, stages, make, tmp_path):
    (tmp_path / "var").mkdir()
    with FileLock(tmp_path / "var" / "lock"), pytest.raises(RunError, match="Another retraining"):
        make(FakeService()).run()
