"""The loop: simulated users visit a service, one of them is erased, and the retrained bundle answers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
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


def test_the_retrained_bundle_answers_and_does_not_know_who_was_erased(
    client: TestClient, store: Any, database_url: str, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = ServiceClient(client)
    taste = TasteModel({f"i{number:02}": {} for number in range(30)})
    visits = []
    for number, num_visits in enumerate((60, 40, 50)):
        time.sleep(1.1 * (number > 0))  # what is held out begins with a whole second, so there must be more than one
        settings = DrivingSettings(num_users=20, num_visits=num_visits, k=5, own_share=1.0, threads=1, seed=42 + number)
        visits += Simulation(service, taste, ClickModel(), settings).run()
    assert {(one.bundle, one.degraded) for one in visits} == {("first", False)}
    assert client.get(f"/v1/users/{ERASED}").is_success
    assert client.delete(f"/v1/users/{ERASED}").is_success

    run: list[str] = []
    failed: list[str] = []

    def in_this_process(name: str, arguments: Any, log: Path, variables: Any = None) -> Path:
        monkeypatch.setenv(URL_VARIABLE, database_url)
        done = scripts(name, *arguments)
        if done.status != 0:
            failed.append(done.err)
            raise RunError(done.err)
        run.append(name)
        return Path(done.out.strip().splitlines()[-1].partition(": ")[2])

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
        run_stage=in_this_process,
        show=tables.append,
    ).run()

    assert result.promoted == service.live_bundle()
    # The chosen model goes on from the run that it was chosen by: what the store has got since is appended.
    assert run[-6:] == ["prepare", "update", "export"] * 2, failed
    [answer] = service.recommend([{"user_id": "simulated-00001", "k": 5}])
    assert (answer["bundle"], answer["degraded"]) == (result.promoted, [])
    users = pq.read_table(tmp_path / "bundles" / result.live / USER_VOCABULARY).column("user_id").to_pylist()
    [table] = tables
    assert {row[0].text for row in table.rows[:2]} == {"live", "popularity"}
    assert [cell.text for cell in table.rows[2]][1] == "failed" and "l2" in table.note
    assert ERASED not in users
    assert "simulated-00001" in users
