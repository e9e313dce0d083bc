"""Requests of a load test: lists that no cache has, lists that it has, interactions; and when each is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import orjson
from load_client import LoadRequest

#: Kinds of requests.
UNCACHED, CACHED, POSTED = "uncached", "cached", "interaction"

#: Lengths that lists of the same user are asked in, so that each of them is another list.
_LENGTHS = range(10, 30)


class RequestMaker:
    """Makes requests of a service.

    Args:
        host: as the service is called.
        key: of the API.
        user_ids: that are asked for, all of them known.
        item_ids: that interactions are with.
        seed: of what chance decides.
    """

    def __init__(self, host: str, key: str, user_ids: Sequence[str], item_ids: Sequence[str], seed: int = 0) -> None:
        self._head = f"Host: {host}\r\nAuthorization: Bearer {key}\r\n"
        self._random = np.random.default_rng(seed)
        self._users = [user_ids[place] for place in self._random.permutation(len(user_ids))]
        self._items = list(item_ids)
        self._uncached = self._make_uncached()

    def uncached(self) -> Iterator[LoadRequest]:
        """A list that was not asked for before: every user once in each length, 10 to 29; then from the beginning.

        Wherever it is called again it goes on where the last one stopped.
        """
        return self._uncached

    def cached(self, num_users: int) -> Iterator[LoadRequest]:
        """Ten items for some users, again and again."""
        requests = [self._list(user, 10, CACHED) for user in self._users[:num_users]]
        while True:
            yield from requests

    def mixed(self, posted_share: float) -> Iterator[LoadRequest]:
        """Lists that no cache has, and interactions of anybody with anything among them.

        Lengths are mixed, so that lists are as long at the end as at the beginning.
        """
        uncached = self._make_mixed()
        while True:
            if self._random.random() < posted_share:
                yield self.interaction()
            else:
                yield next(uncached)

    def interaction(self) -> LoadRequest:
        """An interaction that makes the user's next list another one."""
        user = self._users[int(self._random.integers(len(self._users)))]
        item = self._items[int(self._random.integers(len(self._items)))]
        body = orjson.dumps({"user_id": user, "item_id": item, "type": "click"})
        head = (
            f"POST /v1/interactions HTTP/1.1\r\n{self._head}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return LoadRequest(POSTED, head.encode() + body, is_list=False)

    def _make_uncached(self) -> Iterator[LoadRequest]:
        while True:
            for length in _LENGTHS:
                for user in self._users:
                    yield self._list(user, length, UNCACHED)

    def _make_mixed(self) -> Iterator[LoadRequest]:
        """Every user once in each length, and all lengths all the time."""
        while True:
            for shift in range(len(_LENGTHS)):
                for place, user in enumerate(self._users):
                    yield self._list(user, _LENGTHS[(place + shift) % len(_LENGTHS)], UNCACHED)

    def _list(self, user: str, length: int, kind: str) -> LoadRequest:
        line = f"GET /v1/users/{user}/recommendations?k={length} HTTP/1.1\r\n"
        return LoadRequest(kind, f"{line}{self._head}\r\n".encode())


def poisson(rate: float, seconds: float, seed: int = 0) -> Iterator[float]:
    """Moments at which independent users come, ``rate`` a second."""
    random, moment = np.random.default_rng(seed), 0.0
    while True:
        for pause in random.exponential(1 / rate, 1024).tolist():
            moment += pause
            if moment >= seconds:
                return
            yield moment
