"""The loop: simulated users visit a service, one of them is erased, and the retrained bundle answers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from recsys_serving.api.app import create_app
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.client.bundle_promotion import BundlePromotion
from recsys_serving.client.service_client import ServiceClient
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.events.records import Interaction

from recsys.data.readers.store.database import URL_VARIABLE, StoreDatabase
from recsys.errors import RunError
from recsys.runtime.bundle import USER_VOCABULARY
from recsys.studies.retraining.retraining import Retraining
from recsys.studies.retraining.retraining_settings import RetrainingSettings
from recsys.studies.simulation.click_model import ClickModel
from recsys.studies.simulation.driving import DrivingSettings, Simulation
from recsys.studies.simulation.taste import TasteModel
from tests.export.board_bundles import board_bundle
from tests.scripts.running import Scripts
from tests.serving.conftest import database_url, postgres_server, store

__all__ = ["database_url", "postgres_server", "store"]

ERASED = "simulated-00000"


@pytest.fixture
def client(store: Any, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """A service that answers from the bundle of the board."""
    shutil.copytree(board_bundle("ease"), tmp_path / "bundles" / "first")
    key, record = new_key("all", ["read", "write", "admin"])
    store.api_keys.create(record)
    given: dict[str, Any] = {"database_url": database_url, "redis_url": "memory", "var": tmp_path / "var"}
    patient = {"deadline_seconds": 60, "store_timeout_seconds": 20, "runtime_timeout_seconds": 20}
    settings = ServiceSettings(bundle=tmp_path / "bundles" / "first", **given, **patient)  # type: ignore[arg-type]
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@dataclass
class Commands:
    """Runs commands in this process, and notes which, and what those that failed have said."""

    scripts: Scripts
    monkeypatch: pytest.MonkeyPatch
    database_url: str
    run: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __call__(self, name: str, arguments: Sequence[str], log: Path, variables: Any = None) -> Path:
        self.monkeypatch.setenv(URL_VARIABLE, self.database_url)
        done = self.scripts(name, *arguments)
        if done.status != 0:
            self.failed.append(done.err)
            raise RunError(done.err)
        self.run.append(name)
        self.said.append(done.out)
        return Path(done.out.strip().splitlines()[-1].partition(": ")[2])


@pytest.fixture
def commands(scripts: Scripts, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Commands:
    return Commands(scripts, monkeypatch, database_url)


def visit(service: ServiceClient, *num_visits: int) -> list[Any]:
    """Some users come again and again; what they do each time."""
    taste = TasteModel({f"i{number:02}": {} for number in range(30)})
    visits = []
    for number, visits_of_then in enumerate(num_visits):
        time.sleep(1.1 * (number > 0))  # what is held out begins with a whole second, so there must be more than one
        settings = DrivingSettings(
            num_users=20, num_visits=visits_of_then, k=5, own_share=1.0, threads=1, seed=42 + number
        )
        visits += Simulation(service, taste, ClickModel(), settings).run()
    return visits


def test_the_retrained_bundle_answers_and_does_not_know_who_was_erased(
    client: TestClient, store: Any, database_url: str, commands: Commands, tmp_path: Path
) -> None:
    service = ServiceClient(client)
    visits = visit(service, 60, 40, 50)
    assert {(one.bundle, one.degraded) for one in visits} == {("first", False)}
    assert client.get(f"/v1/users/{ERASED}").is_success
    assert client.delete(f"/v1/users/{ERASED}").is_success

    rule = RetrainingSettings(
        train=["trainer.accelerator=cpu"],
        models=["live", "popularity", "model=ease model.l2=-1"],
        min_held_out=10,
        tolerance=0.999,
        k=30,
    )
    promotion, database = BundlePromotion(service, store), StoreDatabase.locate(database_url)
    tables: list[Any] = []
    result = Retraining(
        promotion,
        database,
        tmp_path / "bundles",
        tmp_path / "retraining",
        rule,
        run_stage=commands,
        show=tables.append,
    ).run()

    assert result.promoted == service.live_bundle()
    # The chosen model goes on from the run that it was chosen by: what the store has got since is appended.
    assert commands.run[-6:] == ["prepare", "update", "export"] * 2, commands.failed
    [answer] = service.recommend([{"user_id": "simulated-00001", "k": 5}])
    assert (answer["bundle"], answer["degraded"]) == (result.promoted, [])
    users = pq.read_table(tmp_path / "bundles" / result.live / USER_VOCABULARY).column("user_id").to_pylist()
    [table] = tables
    assert {row[0].text for row in table.rows[:2]} == {"live", "popularity"}
    assert [cell.text for cell in table.rows[2]][1] == "failed" and "l2" in table.note
    assert ERASED not in users
    assert "simulated-00001" in users


def stored(store: Any, num_users: int = 40, num_days: int = 12) -> None:
    """What users did who came later: each day an item of the white or of the black squares."""
    begin = datetime(2026, 1, 31, 12, tzinfo=UTC)
    store.interactions.append(
        [
            Interaction(
                event_id=f"{user}-{day}",
                user_id=f"n{user:02}",
                item_id=f"i{(user % 2 + 2 * (user + 4 * day)) % 30:02}",
                type="click",
                occurred_at=begin + timedelta(days=day, minutes=user),
            )
            for day in range(num_days)
            for user in range(num_users)
        ]
    )


@pytest.mark.parametrize(
    ("tolerance", "last"),
    [(0.999, ["prepare", "update", "export"] * 2), (0.0, ["prepare", "update", "export", "train", "export"])],
    ids=["good_enough", "not_good_enough"],
)
def test_a_model_of_epochs_goes_on_and_is_trained_anew_where_that_is_not_enough(
    client: TestClient, store: Any, database_url: str, commands: Commands, tmp_path: Path, tolerance: float, last: Any
) -> None:
    """The other candidate cannot be trained; the live model is EASE, which few epochs of few factors do not reach."""
    stored(store)
    service = ServiceClient(client)
    rule = RetrainingSettings(
        train=["trainer.accelerator=cpu"],
        models=["model=mf model.embedding_dim=4 trainer.max_epochs=3", "model=ease model.l2=-1"],
        min_held_out=10,
        tolerance=tolerance,
        k=30,
    )
    result = Retraining(
        BundlePromotion(service, store),
        StoreDatabase.locate(database_url),
        tmp_path / "bundles",
        tmp_path / "retraining",
        rule,
        run_stage=commands,
    ).run()
    assert commands.run == ["train", *last], commands.failed
    updates = [said for name, said in zip(commands.run, commands.said, strict=True) if name == "update"]
    assert all("MF went on from its weights for 1 epoch on " in said for said in updates)
    assert result.live == service.live_bundle() == (result.promoted or "first")
    assert (result.promoted is None) == (tolerance == 0)
