"""Asks the service over HTTP, as programs beside it do; waits where it is asked too often."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from recsys.errors import ServingError

#: Times that a request is sent again where the service is asked too often or is away for a moment.
_ATTEMPTS = 8

_AGAIN = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
_LONGEST_WAIT_SECONDS = 60.0


class ServiceClient:
    """A client of one service; it may be used by several threads.

    Args:
        client: with the address of the service and, as a header, its key.

    Example:
        ``ServiceClient.connect("http://127.0.0.1:8000", key).recommend([{"user_id": "196", "k": 5}])``
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def connect(cls, url: str, key: str, timeout_seconds: float = 60.0) -> ServiceClient:
        """A client of the service at a URL.

        Args:
            url: such as ``http://127.0.0.1:8000``.
            key: an API key.
            timeout_seconds: for an answer.
        """
        headers = {"Authorization": f"Bearer {key}"}
        return cls(httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def recommend(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A list for each request, in their order.

        Args:
            requests: bodies of ``POST /v1/recommendations``.

        Raises:
            ServingError: the service does not answer, or refuses.
        """
        body = self._ask("POST", "/v1/recommendations", {"requests": list(requests)})
        lists: list[dict[str, Any]] = body["recommendations"]
        return lists

    def append_interactions(self, interactions: Sequence[Mapping[str, Any]]) -> None:
        """Tell what users did.

        Args:
            interactions: bodies of ``POST /v1/interactions``.

        Raises:
            ServingError: the service does not answer, or refuses.
        """
        self._ask("POST", "/v1/interactions/batch", {"interactions": list(interactions)})

    def items(self, page: int = 100) -> Iterator[dict[str, Any]]:
        """All items, with ``item_id``, ``title`` and, as ``metadata``, their columns.

        Args:
            page: items of a request.

        Raises:
            ServingError: the service does not answer, or refuses.
        """
        cursor: dict[str, str] = {}
        while True:
            body = self._ask("GET", "/v1/items", params={"limit": page, **cursor})
            yield from body["items"]
            if body["next_cursor"] is None:
                return
            cursor = {"cursor": body["next_cursor"]}

    def live_bundle(self) -> str:
        """Name of the bundle that answers.

        Raises:
            ServingError: the service does not answer, or refuses.
        """
        loaded = self._ask("GET", "/v1/bundles")["loaded"]
        return str(next(one["name"] for one in loaded if one["live"]))

    def recent_bundles(self) -> list[str]:
        """Names of the bundles that were made live, the latest first.

        Raises:
            ServingError: the service does not answer, or refuses.
        """
        return [one["bundle"] for one in self._ask("GET", "/v1/bundles")["deployments"]]

    def activate(self, bundle: str, note: str) -> None:
        """Let a bundle answer.

        Args:
            bundle: its name.
            note: why, for the audit.

        Raises:
            ServingError: it cannot be opened, and the one before answers.
        """
        self._ask("POST", f"/v1/bundles/{bundle}/activate", {"note": note})

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._client.request(method, path, json=body, params=params)
            except httpx.HTTPError as error:
                raise ServingError(
                    f"The service at {self._client.base_url} does not answer ({type(error).__name__}). Start it, or "
                    "correct url=."
                ) from error
            if answer.status_code not in _AGAIN or attempt == _ATTEMPTS:
                break
            time.sleep(_wait_seconds(answer))
        if answer.is_error:
            raise ServingError(f"{method} {path} was answered with {answer.status_code}: {_detail(answer)}")
        found: dict[str, Any] = answer.json()
        return found


def _wait_seconds(answer: httpx.Response) -> float:
    try:
        wait = float(answer.headers.get("Retry-After", "1"))
    except ValueError:
        wait = 1.0
    return min(max(wait, 0.0), _LONGEST_WAIT_SECONDS)


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title") or answer.reason_phrase)
    except (ValueError, AttributeError):
        return answer.reason_phrase
