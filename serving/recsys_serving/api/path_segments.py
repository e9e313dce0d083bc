"""Lets ids with a slash stand in a path: ``/v1/items/a%2Fb`` is the item ``a/b``, and not a path of more segments."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from recsys_serving.api.problems import problem_response

#: Stands for a slash that is part of an id, between this middleware and the endpoint.
_SLASH = "\0"


class PathSegments:
    """Wraps an application: decodes each segment of a path by itself.

    A segment that is no UTF-8, or has the character NUL, is refused with 400.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        raw = scope.get("raw_path")
        if scope["type"] != "http" or not raw or b"%" not in raw:
            await self._app(scope, receive, send)
            return
        try:
            scope["path"] = _decode(raw.partition(b"?")[0])
        except ValueError:
            detail = "The path must be percent-encoded UTF-8 without the character NUL."
            await problem_response(400, detail, "/")(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _decode(raw: bytes) -> str:
    segments = [unquote_to_bytes(segment).decode("utf-8") for segment in raw.split(b"/")]
    if any(_SLASH in segment for segment in segments):
        raise ValueError("NUL in a path")
    return "/".join(segment.replace("/", _SLASH) for segment in segments)


def segment_text(segment: str) -> str:
    """The id that a segment of a path stands for."""
    return segment.replace(_SLASH, "/")


def as_segment(text: str) -> str:
    """An id as it stands in a path."""
    return quote(text, safe="")
