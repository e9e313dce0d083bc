"""Asks the service over HTTP; everything that pages know comes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from app.service.address import ServiceAddress
from app.service.errors import ServiceAway, problem_of

#: Seconds for a connection, and for an answer.
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 15.0
#: Seconds for an answer before which a bundle may have to be opened.
OPEN_SECONDS = 120.0

#: Ids in the query of a URL, at most.
_MAX_EXCLUDED = 150

Body = dict[str, Any]


class ServiceApi:
    """The requests that pages make; several threads may share it.

    Every method raises :class:`app.service.errors.ServiceError`.

    Args:
        address: of the service.
    """

    def __init__(self, address: ServiceAddress) -> None:
        self._client = httpx.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {address.key}"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def catalogue(self) -> Body:
        """Columns of the items, with their kinds, values and ranges."""
        return self.ask("GET", "/v1/catalogue")

    def users(self, prefix: str = "", limit: int = 100) -> list[str]:
        """Ids of users, in their order, that begin with ``prefix``."""
        found = self.ask("GET", "/v1/users", params={"prefix": prefix, "limit": limit})
        return [one["user_id"] for one in found["users"]]

    def user(self, user_id: str) -> Body:
        """A user."""
        return self.ask("GET", f"/v1/users/{segment(user_id)}")

    def create_user(self, user_id: str) -> Body:
        """Make a user."""
        return self.ask("POST", "/v1/users", {"user_id": user_id})

    def interactions(self, user_id: str, limit: int = 1_000) -> list[Body]:
        """What a user did, the latest first, each with the ``title`` of its item."""
        params = {"limit": limit, "titles": True}
        found = self.ask("GET", f"/v1/users/{segment(user_id)}/interactions", params=params)
        titles = found.get("titles") or {}
        return [{**one, "title": titles.get(one["item_id"], one["item_id"])} for one in found["interactions"]]

    def append_interaction(self, body: Mapping[str, Any]) -> None:
        """Tell what a user did, once, however often it is sent."""
        self.ask("POST", "/v1/interactions", {"event_id": f"app-{uuid4().hex}", **body})

    def delete_interaction(self, event_id: str) -> None:
        """Take back what a user did."""
        self.ask("DELETE", f"/v1/interactions/{segment(event_id)}")

    def elicitation(self, k: int, exclude_items: Sequence[str], metadata: Sequence[str]) -> list[Body]:
        """Items to ask a user about."""
        params = {"k": k, "exclude_items": list(exclude_items)[:_MAX_EXCLUDED], "metadata": list(metadata)}
        found: list[Body] = self.ask("GET", "/v1/elicitation", params=params)["items"]
        return found

    def recommend(self, requests: Sequence[Mapping[str, Any]], patient: bool = False) -> list[Body]:
        """A list for each request, in their order.

        Args:
            requests: of the lists.
            patient: whether a bundle may have to be opened for one of them.
        """
        seconds = OPEN_SECONDS if patient else None
        body = {"requests": list(requests)}
        found: list[Body] = self.ask("POST", "/v1/recommendations", body, seconds=seconds)["recommendations"]
        return found

    def search(self, text: str, limit: int, metadata: Sequence[str]) -> Body:
        """Items whose titles match, and how many there are."""
        return self.ask("GET", "/v1/items", params={"query": text, "limit": limit, "metadata": list(metadata)})

    def item(self, item_id: str) -> Body:
        """An item."""
        return self.ask("GET", f"/v1/items/{segment(item_id)}")

    def similar(self, item_id: str, by: str, k: int, metadata: Sequence[str]) -> Body:
        """The items that are most like one."""
        params = {"by": by, "k": k, "metadata": list(metadata)}
        return self.ask("GET", f"/v1/items/{segment(item_id)}/similar", params=params)

    def activity(self, item_id: str, per: str) -> list[Body]:
        """Numbers of interactions with an item by period and type."""
        found: list[Body] = self.ask("GET", f"/v1/items/{segment(item_id)}/activity", params={"per": per})["periods"]
        return found

    def readiness(self) -> Body:
        """How each dependency is; also where the service says that it cannot answer."""
        return self.ask("GET", "/readyz", accepted=(503,))

    def metrics(self) -> str:
        """What it measures of itself, as Prometheus reads it."""
        return self._send("GET", "/metrics").text

    def erasures(self, limit: int) -> list[Body]:
        """The latest receipts of erasures."""
        found: list[Body] = self.ask("GET", "/v1/erasures", params={"limit": limit})["erasures"]
        return found

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        accepted: Sequence[int] = (),
        seconds: float | None = None,
    ) -> Body:
        """Ask anything that answers with JSON.

        Args:
            method: of HTTP.
            path: with each of its parts encoded, see :func:`segment`.
            body: as JSON; None: none.
            params: of the query.
            accepted: statuses of errors that are answers as well.
            seconds: that the answer may take; None: the usual time.
        """
        answer = self._send(method, path, body, params, accepted, seconds or ANSWER_SECONDS)
        if not answer.content:
            return {}
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ServiceAway(f"What answers at {self._client.base_url} is not the service: it sent no JSON object.")
        return found

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        accepted: Sequence[int] = (),
        seconds: float = ANSWER_SECONDS,
    ) -> httpx.Response:
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        try:
            answer = self._client.request(method, path, json=body, params=params, timeout=timeout)
        except httpx.TimeoutException as error:
            raise ServiceAway(f"The service at {self._client.base_url} takes too long to answer.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServiceAway(f"Nothing answers at {self._client.base_url}.") from error
        if answer.is_error and answer.status_code not in accepted:
            raise problem_of(answer)
        return answer


def segment(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="")
