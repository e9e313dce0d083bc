"""The id of the request that is being answered: in its answer, in every line of the log, and in problems."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

HEADER = "X-Request-ID"

_ALLOWED = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def choose_request_id(given: bytes | None) -> str:
    """The id that the client gave, if it is plain and short, else a new one.

    Args:
        given: value of the header; None: there was none.
    """
    return given.decode("ascii") if given is not None and _ALLOWED.fullmatch(given) else uuid.uuid4().hex


def set_request_id(request_id: str) -> None:
    """Make it the id of what this task, and the threads that it starts, do from now on."""
    _current.set(request_id)


def current_request_id() -> str:
    """The id of the request that is being answered; empty where none is."""
    return _current.get()
