"""Requests that somebody sends who means harm or has gone wrong, and what a service must answer to each."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

_JSON = {"Content-Type": "application/json"}
#: A line as the log has it, which somebody wants to forge.
_FORGED = '\n{"event":"forged","level":"critical"}\n'
_SQL = "'); DROP TABLE users; --"


@dataclass(frozen=True, slots=True)
class HostileAnswer:
    """What came of one kind of request.

    Args:
        name: of the kind.
        expected: statuses that are right, and what else must hold.
        seen: what came.
        is_right: whether it is as expected.
    """

    name: str
    expected: str
    seen: str
    is_right: bool


def ask_hostile(url: str, key: str, log: Path) -> list[HostileAnswer]:
    """Send all of them, each with a valid key where it is not about the key.

    Args:
        url: of a service whose rate limits are wide.
        key: with all scopes.
        log: the service's.
    """
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        answers = [
            *_bodies(client),
            *_unicode(client),
            *_injections(client, log),
            *_keys(client, key),
            *_replays(client),
            *_paths(client),
        ]
        answers.append(_judge("and after all that: a list", {200}, [client.post("/v1/recommendations", json={"k": 3})]))
    return answers


def hostile_table(answers: Iterable[HostileAnswer]) -> str:
    """The table."""
    lines = ["| request | expected | seen | as expected |", "|---|---|---|---|"]
    lines += [
        f"| {one.name} | {one.expected} | {one.seen} | {'yes' if one.is_right else '**no**'} |" for one in answers
    ]
    return "\n".join(lines) + "\n"


def _judge(
    name: str, statuses: set[int], answers: list[httpx.Response], also: str = "", holds: bool = True
) -> HostileAnswer:
    """Compare: an error must be a problem of RFC 9457 that repeats nothing and has no traceback."""
    seen = sorted({answer.status_code for answer in answers})
    well_told = all(
        answer.status_code < 400
        or (
            answer.headers.get("content-type", "").startswith("application/problem+json")
            and "Traceback" not in answer.text
        )
        for answer in answers
    )
    expected = " or ".join(map(str, sorted(statuses))) + (f", {also}" if also else "")
    told = ", ".join(map(str, seen)) + (f", {also}: {'yes' if holds else 'no'}" if also else "")
    return HostileAnswer(name, expected, told, set(seen) <= statuses and well_told and holds)


def _post(client: httpx.Client, content: bytes, path: str = "/v1/interactions") -> httpx.Response:
    return client.post(path, content=content, headers=_JSON)


def _bodies(client: httpx.Client) -> list[HostileAnswer]:
    event = b'{"user_id": "u", "item_id": "1", "properties": {"x": %s}}'
    chunks = (b" " * 65_536 for _ in range(64))
    return [
        _judge("a body of 20 MB that says its length", {413}, [_post(client, b" " * 20_000_000)]),
        _judge(
            "4 MB in chunks, of no told length", {413}, [client.post("/v1/interactions", content=chunks, headers=_JSON)]
        ),
        _judge("lists 100,000 deep", {400}, [_post(client, event % (b"[" * 100_000 + b"]" * 100_000))]),
        _judge(
            "objects 17 deep, one more than may be", {400}, [_post(client, event % (b'{"a":' * 17 + b"1" + b"}" * 17))]
        ),
        _judge(
            "100,000 fields",
            {413, 422},
            [client.post("/v1/items", json={"item_id": "1", "properties": {str(n): n for n in range(100_000)}})],
        ),
        _judge("a number of 100,000 digits", {400, 422}, [_post(client, event % (b"9" * 100_000))]),
        _judge(
            "NaN, Infinity, 1e999",
            {400, 422},
            [_post(client, event % number) for number in (b"NaN", b"Infinity", b"1e999")],
        ),
        _judge("a body that ends in its middle", {400}, [_post(client, b'{"user_id": "u", "item')]),
        _judge("bytes that are no UTF-8", {400}, [_post(client, b'{"user_id": "\xff\xfe", "item_id": "1"}')]),
        _judge(
            "XML, a form, no type",
            {415},
            [
                client.post("/v1/interactions", content=b"<x/>", headers={"Content-Type": kind})
                for kind in ("application/xml", "application/x-www-form-urlencoded")
            ]
            + [client.post("/v1/interactions", content=b"<x/>")],
        ),
        _judge(
            "501 interactions, one more than may be",
            {422},
            [client.post("/v1/interactions/batch", json={"interactions": [{"user_id": "u", "item_id": "1"}] * 501})],
        ),
    ]


def _unicode(client: httpx.Client) -> list[HostileAnswer]:
    odd = {
        "right-to-left override": "\u202eevil",
        "zero-width joiner": "a\u200db",
        "combining marks, 100 on a letter": "e" + "\u0301" * 100,
        "private use, non-characters": "\ue000\uffff\U0010ffff",
        "emoji of several code points": "👩‍👩‍👧‍👦",
        "the same letter in two forms": "é e\u0301",
    }
    answers = []
    for name, text in odd.items():
        user = f"{text}-{uuid.uuid4().hex[:6]}"
        made = client.post("/v1/users", json={"user_id": user, "properties": {"name": text}})
        found = client.get(made.headers.get("Location", "/none"))
        kept = (
            found.status_code == 200
            and found.json()["user_id"] == user
            and found.json()["properties"] == {"name": text}
        )
        answers.append(_judge(f"an id and a value with {name}", {201}, [made], "kept as it came", kept))
    return [
        *answers,
        _judge(
            "NUL in a value, a name and an id",
            {400},
            [
                _post(client, body)
                for body in (
                    rb'{"user_id": "a\u0000", "item_id": "1"}',
                    rb'{"user_id": "a", "item_id": "1", "properties": {"\u0000": 1}}',
                    rb'{"user_id": "a", "item_id": "1", "properties": {"x": "\u0000"}}',
                )
            ],
        ),
        _judge("NUL in a path", {400}, [client.get("/v1/users/a%00b"), client.get("/v1/items/%00")]),
        _judge("half of a surrogate pair", {400}, [_post(client, rb'{"user_id": "\ud800", "item_id": "1"}')]),
        _judge("UTF-8 of a surrogate in a path", {400}, [client.get("/v1/users/%ED%A0%80")]),
    ]


def _injections(client: httpx.Client, log: Path) -> list[HostileAnswer]:
    texts = [
        _SQL,
        "1 OR 1=1",
        "x' UNION SELECT hash FROM api_keys --",
        "%'; SELECT pg_sleep(5); --",
        "{{7*7}}",
        "${jndi:ldap://x}",
    ]
    told: list[httpx.Response] = []
    for text in texts:
        told += [
            client.post("/v1/interactions", json={"user_id": text, "item_id": text, "properties": {text[:60]: text}}),
            client.get("/v1/items", params={"query": text}),
            client.get(f"/v1/users/{httpx.QueryParams({'x': text})}".replace("x=", "").replace("+", "%20")),
            client.get("/v1/audit", params={"actor": text}),
        ]
    there = client.get("/v1/users/" + str(httpx.QueryParams({"x": _SQL})).removeprefix("x=").replace("+", "%20"))
    sql = _judge(
        "SQL in ids, values, names, searches",
        {200, 201, 404, 422},
        told,
        "kept as text, tables still there",
        there.status_code == 200 and there.json()["user_id"] == _SQL,
    )
    lines = [
        client.post("/v1/interactions", json={"user_id": f"u{_FORGED}", "item_id": "1", "type": f"view{_FORGED}"}),
        client.get("/v1/users/u" + "%0A%7B%22event%22%3A%22forged%22%7D%0A"),
        client.get("/v1/items", params={"query": _FORGED}),
        client.get("/v1/items", headers={"User-Agent": 'x\\n{"event":"forged"}'}),
        client.get("/v1/items", headers={"X-Request-ID": '{"event":"forged"}' * 20}),
    ]
    logged = log.read_text(encoding="utf-8", errors="replace").splitlines()
    forged = any(_event(line) == "forged" for line in logged)
    return [
        sql,
        _judge(
            "lines of the log in ids, searches and headers",
            {200, 201, 404, 422},
            lines,
            "no forged line in the log",
            not forged,
        ),
    ]


def _event(line: str) -> object:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value.get("event") if isinstance(value, dict) else None


def _keys(client: httpx.Client, key: str) -> list[HostileAnswer]:
    public = key[: len("rk_") + 17]
    wrong = [
        "nonsense",
        "rk_",
        public + "A" * 43,
        key + "A",
        key[:-1],
        key.upper(),
        f"{key} {key}",
        "' OR '1'='1",
        "rk_" + "0" * 16 + "_" + "A" * 43,
    ]

    def with_key(text: str, scheme: str = "Bearer") -> httpx.Response:
        return httpx.get(
            f"{client.base_url}/v1/items".replace("//v1", "/v1"),
            headers={"Authorization": f"{scheme} {text}"},
            timeout=60,
        )

    scoped = client.post("/v1/keys", json={"name": "reader", "scopes": ["read"]}).json()
    reader = {"Authorization": f"Bearer {scoped['key']}"}
    refused = [
        client.post("/v1/interactions", json={"user_id": "u", "item_id": "1"}, headers=reader),
        client.get("/v1/keys", headers=reader),
        client.post("/v1/bundles/rollback", headers=reader),
    ]
    client.delete(f"/v1/keys/{scoped['key_id']}")
    revoked = [client.get("/v1/items", headers=reader)]
    return [
        _judge(
            "keys that are none, cut, longer, of another case",
            {401},
            [with_key(text) for text in wrong],
        ),
        _judge("another scheme: Basic, Token", {401}, [with_key(key, scheme) for scheme in ("Basic", "Token")]),
        _judge("a key without the scope", {403}, refused),
        HostileAnswer(
            "a revoked key, at another worker perhaps",
            "200 within `key_ttl_seconds`, 401 after",
            str(revoked[0].status_code),
            revoked[0].status_code in (200, 401),
        ),
    ]


def _replays(client: httpx.Client) -> list[HostileAnswer]:
    event = {
        "event_id": uuid.uuid4().hex,
        "user_id": "replayed",
        "item_id": "1",
        "type": "view",
        "occurred_at": "2024-03-01T12:00:00Z",
    }
    first = client.post("/v1/interactions", json=event)
    again = [client.post("/v1/interactions", json=event) for _ in range(5)]
    page = client.get("/v1/users/replayed/interactions").json()["interactions"]
    other = [client.post("/v1/interactions", json=event | {"item_id": "2"})]
    item = f"film-{uuid.uuid4().hex[:8]}"
    made = client.put(f"/v1/items/{item}", json={"title": "one"})
    tag = made.headers["ETag"]
    changed = client.patch(f"/v1/items/{item}", json={"title": "two"}, headers={"If-Match": tag})
    stale = [client.patch(f"/v1/items/{item}", json={"title": "three"}, headers={"If-Match": tag})]
    return [
        _judge(
            "an event sent six times",
            {200, 201},
            [first, *again],
            "stored once",
            len(page) == 1 and first.status_code == 201,
        ),
        _judge("its id with other content", {409}, other),
        _judge(
            "a change with an ETag that is used up", {412}, stale, "the first one counted", changed.status_code == 200
        ),
    ]


def _paths(client: httpx.Client) -> list[HostileAnswer]:
    tricks = [
        "/v1/users/..%2F..%2Fkeys", "/v1/items/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/v1/bundles/..%2f..%2fvar/activate",
        "/v1/users/%2e%2e", "//v1//keys", "/v1/../../etc/passwd", "/v1/users/a%2Fb%2Fc", "/v1/users/" + "a" * 5_000,
        "/v1/bundles/..%5c..%5cvar", "/docs/..%2f..%2fsettings.py", "/v1/items/;x=1", "/v1/users/%25%32%66",
    ]  # fmt: skip
    answers = [_raw(client, path) for path in tricks]
    activated = [client.post("/v1/bundles/..%2Fvar/activate"), client.post("/v1/bundles/.%2e/activate")]
    return [
        _judge(
            "`..`, `%2f`, `%5c`, doubled slashes, 5,000 characters",
            {400, 404, 405, 422},
            answers,
            "no file of the machine in an answer",
            not any("root:" in answer.text for answer in answers),
        ),
        _judge("a bundle outside its directory", {404, 422}, activated),
    ]


def _raw(client: httpx.Client, path: str) -> httpx.Response:
    """A request whose path is sent as it is."""
    url = httpx.URL(client.base_url).copy_with(raw_path=path.encode())
    return client.send(httpx.Request("GET", url, headers=client.headers))
