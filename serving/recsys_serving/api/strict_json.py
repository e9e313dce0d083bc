"""Reads JSON strictly: sizes are bounded before anything is parsed, and what no store could keep is refused.

Refused are numbers that are not finite, texts with NUL or with half of a surrogate pair, the same key twice is the last
one's, and nesting that is too deep.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request

from recsys_serving.api.problems import ProblemError

#: Names of the settings in the application's state.
MAX_BODY_BYTES, MAX_JSON_DEPTH = "max_body_bytes", "max_json_depth"


def parse_json(body: bytes, max_depth: int) -> Any:
    """The value of a body.

    Args:
        body: of the request.
        max_depth: of lists and objects inside each other.

    Raises:
        ProblemError: 400, it is no JSON, is nested too deeply, or has a text with NUL.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, f"The body must be JSON, but it is not: {error}.") from None
    except RecursionError:
        raise ProblemError(400, f"The body may be {max_depth} levels deep, but it is deeper.") from None
    _check(value, max_depth)
    return value


def _check(value: Any, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth + 1):
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                deeper += one
                deeper += one.values()
            elif isinstance(one, list):
                deeper += one
            elif isinstance(one, str) and "\0" in one:
                raise ProblemError(400, "A text of the body has the character NUL, which cannot be kept. Leave it out.")
        if not deeper:
            return
        level = deeper
    raise ProblemError(400, f"The body may be {max_depth} levels deep, but it is deeper.")


class StrictRequest(Request):
    """A request whose body is bounded, and is JSON by :func:`parse_json`."""

    async def body(self) -> bytes:
        """The body.

        Raises:
            ProblemError: 413, it is too large; 415, it says that it is no JSON.
        """
        if not hasattr(self, "_body"):
            self._body = await self._read(getattr(self.app.state, MAX_BODY_BYTES))
            if self._body:
                _check_media_type(self.headers.get("content-type"))
        return self._body

    async def _read(self, limit: int) -> bytes:
        check_told_size(self)
        chunks, size = [], 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
        return b"".join(chunks)

    async def json(self) -> Any:
        """The value of the body.

        Raises:
            ProblemError: see :func:`parse_json`.
        """
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body(), getattr(self.app.state, MAX_JSON_DEPTH))
        return self._json


def check_told_size(request: Request) -> None:
    """Refuse a body that says that it is too large, also where none is expected.

    Raises:
        ProblemError: 413.
    """
    limit = getattr(request.app.state, MAX_BODY_BYTES)
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told) > limit:
        raise _too_large(limit)


def _check_media_type(text: str | None) -> None:
    media = "" if text is None else text.partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        came = "none" if text is None else "another one"
        raise ProblemError(415, f"The header Content-Type must be application/json, but {came} came.")


def _too_large(limit: int) -> ProblemError:
    # What was not read would be taken for the next request.
    return ProblemError(
        413, f"A body of at most {limit} bytes is required. Send less at once.", headers={"Connection": "close"}
    )
