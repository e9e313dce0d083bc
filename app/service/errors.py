"""What can go wrong with the service, and how it is said in words.

::

    ServiceError
    ├── ServiceAway        nobody answers: it does not run, or it takes too long
    └── ServiceRefused     it answers with a problem (RFC 9457)
        ├── NotAllowed     401, 403: the key is not enough
        ├── NotThere       404
        └── NotNow         429, 503: later it may work
"""

from __future__ import annotations

import httpx


class ServiceError(Exception):
    """The service did not do what was asked; the text is for people."""


class ServiceAway(ServiceError):
    """Nobody answers."""


class ServiceRefused(ServiceError):
    """The service answered with a problem.

    Args:
        message: what it said, for people.
        status: of the answer.
        request_id: by which its log knows the request; None: it said none.
    """

    def __init__(self, message: str, status: int, request_id: str | None = None) -> None:
        super().__init__(message)
        self.status, self.request_id = status, request_id


class NotAllowed(ServiceRefused):
    """The key is not valid, or does not have the scope."""


class NotThere(ServiceRefused):
    """It does not exist."""


class NotNow(ServiceRefused):
    """It may work later."""


_KINDS: dict[int, type[ServiceRefused]] = {401: NotAllowed, 403: NotAllowed, 404: NotThere, 429: NotNow, 503: NotNow}


def problem_of(answer: httpx.Response) -> ServiceRefused:
    """The error that an answer tells: its detail and what is wrong with single fields."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        told = {}
    words = str(told.get("detail") or told.get("title") or f"The service answered with status {answer.status_code}.")
    faults = told.get("errors")
    if isinstance(faults, list):
        named = [f"{one.get('field')}: {one.get('message')}" for one in faults if isinstance(one, dict)]
        words = " ".join([words, *(f"({text})" for text in named)])
    if answer.status_code in (401, 403):
        words += " Set RECSYS_API_KEY to a key that may do this."
    kind = _KINDS.get(answer.status_code, ServiceRefused)
    return kind(words, answer.status_code, told.get("request_id"))
