"""Simulated users who visit a service."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from recsys.errors import ServingError, SettingsError
from recsys.studies.simulation.click_model import ClickModel
from recsys.studies.simulation.driving import DrivingSettings, Simulation
from recsys.studies.simulation.taste import TasteModel

ITEMS: dict[str, dict[str, Any]] = {f"i{n}": {} for n in range(30)}


class FixedService:
    """Shows everybody the same items, and keeps what it is told."""

    def __init__(self, items: Sequence[str]) -> None:
        self.items = items
        self.requests: list[Mapping[str, Any]] = []
        self.told: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def recommend(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        with self._lock:
            self.requests.extend(requests)
        items = [{"item_id": item} for item in self.items]
        return [
            {"recommendation_id": one["user_id"], "items": items, "bundle": "b", "variant": None, "degraded": []}
            for one in requests
        ]

    def append_interactions(self, interactions: Sequence[Mapping[str, Any]]) -> None:
        with self._lock:
            self.told.extend(interactions)


def drive(service: Any, **settings: Any) -> list[Any]:
    given = DrivingSettings(**{"num_users": 20, "num_visits": 100, "k": 3, **settings})
    return Simulation(service, TasteModel(ITEMS), ClickModel(), given).run()


def test_a_list_is_asked_for_at_each_visit():
    service = FixedService(["i1", "i2", "i3"])
    assert len(drive(service)) == len(service.requests) == 100
    assert {one["k"] for one in service.requests} == {3}


def test_a_click_names_the_list_and_the_position():
    service = FixedService(["i1", "i2", "i3"])
    visits = drive(service, own_share=0.0)
    clicks = [one for one in service.told if one["type"] == "click"]
    assert len(clicks) == sum(one.num_clicks for one in visits) > 0
    for one in service.told:
        assert one["recommendation_id"] == one["user_id"]
        assert service.items[one["position"] - 1] == one["item_id"]


def test_what_users_find_by_themselves_names_no_list():
    service = FixedService([])
    visits = drive(service, own_share=1.0)
    assert len(service.told) == 100
    assert not any("recommendation_id" in one for one in service.told)
    assert {(one.utility, one.num_clicks) for one in visits} == {(0.0, 0)}


def test_the_utility_is_the_mean_affinity_of_what_was_shown():
    service = FixedService(["i1", "i2"])
    [visit] = drive(service, num_visits=1)
    affinities = TasteModel(ITEMS).affinities_of(service.requests[0]["user_id"], ["i1", "i2"])
    assert visit.utility == pytest.approx(affinities.mean())
    assert visit.random < visit.best


def test_threads_and_batches_change_nothing():
    alone, together = FixedService(["i1", "i2"]), FixedService(["i1", "i2"])
    assert drive(alone, threads=1, batch=1) == drive(together, threads=4, batch=7)
    key = lambda one: sorted(map(str, one.items()))  # noqa: E731
    assert sorted(alone.told, key=key) == sorted(together.told, key=key)


def test_the_failure_of_a_request_ends_the_simulation():
    class Broken(FixedService):
        def append_interactions(self, interactions: Sequence[Mapping[str, Any]]) -> None:
            raise ServingError("away")

    with pytest.raises(ServingError, match="away"):
        drive(Broken(["i1"]), own_share=1.0)


@pytest.mark.parametrize("values", [{"k": 0}, {"own_share": 2.0}, {"visits_per_second": 0.0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingsError, match="must be"):
        DrivingSettings(**values)
