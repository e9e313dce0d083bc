"""Lets simulated users visit a service: each asks for a list, chooses from it, and tells what was chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys.errors import SettingsError
from recsys.studies.simulation.click_model import ClickModel
from recsys.studies.simulation.summary import Visit
from recsys.studies.simulation.taste import FloatArray, TasteModel


class VisitedService(Protocol):
    """What is visited, in the words of its HTTP interface."""

    def recommend(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A list for each request, in their order."""
        ...

    def append_interactions(self, interactions: Sequence[Mapping[str, Any]]) -> None:
        """Tell what users did."""
        ...


@dataclass(frozen=True, slots=True)
class DrivingSettings:
    """Who comes, how often, and how fast.

    Args:
        seed: of who comes and of what chance decides.
        num_users: users, named ``simulated-00000`` and so on; some come much more often than others.
        num_visits: lists that are asked for in all.
        k: items of a list.
        own_share: share of visits in which users also find an item by themselves, which names no list.
        batch: visits that travel in one request.
        threads: requests at once.
        visits_per_second: at most; None: as fast as the service answers.

    Raises:
        SettingsError: a value is out of range.
    """

    seed: int = 42
    num_users: int = 500
    num_visits: int = 2000
    k: int = 10
    own_share: float = 0.2
    batch: int = 20
    threads: int = 4
    visits_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in ("num_users", "num_visits", "k", "batch", "threads"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more, but is {getattr(self, name)}.")
        if not 0 <= self.own_share <= 1:
            raise SettingsError(f"own_share must be from 0 to 1, but is {self.own_share}.")
        if self.visits_per_second is not None and self.visits_per_second <= 0:
            raise SettingsError(f"visits_per_second must be more than 0, but is {self.visits_per_second}.")


class Simulation:
    """Users of known taste who visit a service.

    Args:
        service: that is visited.
        taste: of the users, which the service is not told.
        click_model: what they do with a list.
        settings: who comes, how often, and how fast.
    """

    def __init__(
        self, service: VisitedService, taste: TasteModel, click_model: ClickModel, settings: DrivingSettings
    ) -> None:
        self._service, self._taste, self._click_model, self._settings = service, taste, click_model, settings

    def run(self, advance: Callable[[int], None] = lambda visits: None) -> list[Visit]:
        """Make all visits; those of a batch are at the same time.

        Args:
            advance: told how many visits were made, from one thread.

        Returns:
            The visits, in the order in which users came.

        Raises:
            ServingError: the service does not answer, or refuses.
        """
        users = self._users()
        size = self._settings.batch
        batches = [(start, users[start : start + size]) for start in range(0, len(users), size)]
        visits: list[Visit] = []
        with ThreadPoolExecutor(self._settings.threads) as pool:
            try:
                for made in pool.map(self._batch, *zip(*self._paced(batches), strict=True)):
                    visits.extend(made)
                    advance(len(made))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return visits

    def _users(self) -> list[str]:
        """The user of each visit."""
        generator = np.random.default_rng(self._settings.seed)
        activity = generator.lognormal(sigma=1.0, size=self._settings.num_users)
        drawn = generator.choice(self._settings.num_users, self._settings.num_visits, p=activity / activity.sum())
        return [f"simulated-{number:05}" for number in drawn]

    def _paced(self, batches: Sequence[tuple[int, list[str]]]) -> Iterator[tuple[float, int, list[str]]]:
        """The batches, each with the moment before which it does not start."""
        pace, begin = self._settings.visits_per_second, time.monotonic()
        for start, users in batches:
            yield begin + (0.0 if pace is None else start / pace), start, users

    def _batch(self, moment: float, start: int, user_ids: list[str]) -> list[Visit]:
        time.sleep(max(0.0, moment - time.monotonic()))
        answers = self._service.recommend([{"user_id": user_id, "k": self._settings.k} for user_id in user_ids])
        visits, told = [], []
        for number, (user_id, answer) in enumerate(zip(user_ids, answers, strict=True), start):
            visit, interactions = self._visit(np.random.default_rng([self._settings.seed, number]), user_id, answer)
            visits.append(visit)
            told.extend(interactions)
        if told:
            self._service.append_interactions(told)
        return visits

    def _visit(
        self, generator: np.random.Generator, user_id: str, answer: Mapping[str, Any]
    ) -> tuple[Visit, list[dict[str, Any]]]:
        """What a user does with a list, and what the service is told of it."""
        item_ids = [item["item_id"] for item in answer["items"]]
        affinities = self._taste.affinities(user_id)
        shown = self._taste.affinities_of(user_id, item_ids)
        told: list[dict[str, Any]] = []
        choices = self._click_model.choose(shown, generator)
        for choice in choices:
            event = {
                "user_id": user_id,
                "item_id": item_ids[choice.position - 1],
                "recommendation_id": answer["recommendation_id"],
                "position": choice.position,
            }
            told.append(event | {"type": "click"})
            if choice.rating is not None:
                told.append(event | {"type": "rating", "value": choice.rating})
        if generator.random() < self._settings.own_share:
            told.append({"user_id": user_id, "item_id": self._own_item(affinities, generator), "type": "click"})
        visit = Visit(
            bundle=answer["bundle"],
            variant=answer["variant"],
            utility=float(shown.mean()) if item_ids else 0.0,
            best=self._taste.best_mean(user_id, self._settings.k),
            random=float(affinities.mean()),
            num_items=len(item_ids),
            num_clicks=len(choices),
            degraded=bool(answer["degraded"]),
        )
        return visit, told

    def _own_item(self, affinities: FloatArray, generator: np.random.Generator) -> str:
        """An item that a user finds without a list: the more probable, the more it is liked."""
        return self._taste.item_ids[generator.choice(len(affinities), p=affinities / affinities.sum())]
