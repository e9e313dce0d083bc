"""Interactions that several clients send while PostgreSQL is killed again and again, and the service once.

A client sends an event until it is acknowledged (200, 201 or 202), as a shop does. Then every event must be in the
store once, with what was sent.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
from fault_servers import Api, Servers, eventually
from recsys_serving.spool.spool import Spool

CLIENTS, USERS, BATCH = 4, 200, 10
#: Part of the requests that is a single interaction, and of the acknowledged ones that are sent again.
SINGLE, AGAIN = 0.5, 0.1
#: Seconds, from and to, that PostgreSQL runs and is away.
RUNS, AWAY = (1.0, 4.0), (0.2, 3.0)
#: Longest pause of a client between two requests: the store comes back to clients that go on, not to an empty road.
PAUSE = 0.2
_DRAIN_SECONDS = 120


@dataclass
class Sent:
    """What clients sent.

    Args:
        events: content of the acknowledged events by id: user, item, value.
        answers: number of answers by status; "none" where none came.
        conflicts: events that were said to be another one.
    """

    events: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    conflicts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of the interactions.

    Args:
        sent: by the clients.
        kills: of PostgreSQL.
        restarts: of the service.
        lost: acknowledged events that are not in the store.
        twice: events that are there more than once.
        other: events with other content than was sent.
        refused: changes that the store refused after they had waited.
        waiting: changes that still wait.
    """

    sent: Sent
    kills: int
    restarts: int
    lost: int
    twice: int
    other: int
    refused: int
    waiting: int

    @property
    def is_right(self) -> bool:
        """Whether every acknowledged event is stored once."""
        return not (self.lost or self.twice or self.other or self.refused or self.waiting or self.sent.conflicts)

    def lines(self) -> list[str]:
        """For the results page."""
        answers = ", ".join(f"{status}: {number:,}" for status, number in sorted(self.sent.answers.items()))
        return [
            "| acknowledged | PostgreSQL killed | service killed | lost | twice | other content | refused later |",
            "|---|---|---|---|---|---|---|",
            f"| {len(self.sent.events):,} | {self.kills} | {self.restarts} | {self.lost} | {self.twice} | {self.other} "
            f"| {self.refused + len(self.sent.conflicts)} |",
            "",
            f"Answers by status ({CLIENTS} clients, single interactions and batches of {BATCH}): {answers}.",
        ]


def send_while_killing(servers: Servers, api: Api, items: list[str], number: int, seed: int) -> Outcome:
    """Send events, kill servers, and compare what is stored with what was acknowledged."""
    sent, lock, rng = Sent(), threading.Lock(), random.Random(seed)
    clients = [
        threading.Thread(
            target=_send, args=(api, items, number // CLIENTS, random.Random(rng.random()), name, sent, lock)
        )
        for name in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    kills = restarts = 0
    while any(client.is_alive() for client in clients):
        _wait(clients, rng.uniform(*RUNS))
        servers.kill_postgres()
        kills += 1
        if not restarts and len(sent.events) > number / 2:
            api.kill()
            api.start()
            restarts += 1
        _wait(clients, rng.uniform(*AWAY))
        servers.start_postgres()
    return _compare(servers, api, sent, kills, restarts)


def _wait(clients: list[threading.Thread], seconds: float) -> None:
    alive = [client for client in clients if client.is_alive()]
    if alive:
        alive[0].join(seconds)


def _send(
    api: Api, items: list[str], number: int, rng: random.Random, name: int, sent: Sent, lock: threading.Lock
) -> None:
    done, acknowledged, pause = 0, [], threading.Event()
    with api.client(timeout_seconds=10) as client:
        while done < number:
            if acknowledged and rng.random() < AGAIN:
                events = [rng.choice(acknowledged)]
            else:
                size = 1 if rng.random() < SINGLE else min(BATCH, number - done)
                events = [_event(f"{name}-{done + place}", items, rng) for place in range(size)]
                done += size
                acknowledged += events
            _send_until_acknowledged(client, events, sent, lock)
            pause.wait(rng.uniform(0, PAUSE))


def _event(event_id: str, items: list[str], rng: random.Random) -> dict[str, object]:
    event: dict[str, object] = {
        "event_id": event_id,
        "user_id": f"user-{rng.randrange(USERS)}",
        "item_id": rng.choice(items),
        "type": "rating",
        "value": float(rng.randint(1, 5)),
    }
    if rng.random() < 0.5:
        event["occurred_at"] = datetime.now(UTC).isoformat()
    return event


def _send_until_acknowledged(
    client: httpx.Client, events: list[dict[str, object]], sent: Sent, lock: threading.Lock
) -> None:
    pause = threading.Event()
    while True:
        try:
            if len(events) == 1:
                answer = client.post("/v1/interactions", json=events[0])
            else:
                answer = client.post("/v1/interactions/batch", json={"interactions": events})
        except httpx.HTTPError:
            with lock:
                sent.answers["none"] += 1
            pause.wait(0.2)
            continue
        with lock:
            sent.answers[str(answer.status_code)] += 1
            if answer.status_code in (200, 201, 202):
                told = answer.json().get("interactions", [])
                sent.conflicts += [one["event_id"] for one in told if one["status"] == "conflict"]
                for event in events:
                    content = (str(event["user_id"]), str(event["item_id"]), float(str(event["value"])))
                    sent.events[str(event["event_id"])] = content
                return
            if answer.status_code < 500:
                sent.conflicts += [str(event["event_id"]) for event in events]
                return
        pause.wait(0.2)


def _compare(servers: Servers, api: Api, sent: Sent, kills: int, restarts: int) -> Outcome:
    spool = Spool(Path(api.installation.spool))
    try:
        eventually(spool.is_empty, _DRAIN_SECONDS)
        waiting, refused = len(spool), spool.num_dead_letters()
    finally:
        spool.close()
    with psycopg.connect(servers.direct_url) as connection:
        rows = connection.execute("SELECT event_id, user_id, item_id, value FROM interactions").fetchall()
    numbers = Counter(row[0] for row in rows)
    stored = {row[0]: (row[1], row[2], row[3]) for row in rows}
    return Outcome(
        sent,
        kills,
        restarts,
        lost=sum(event_id not in stored for event_id in sent.events),
        twice=sum(number > 1 for number in numbers.values()),
        other=sum(event_id in stored and stored[event_id] != content for event_id, content in sent.events.items()),
        refused=refused,
        waiting=waiting,
    )
