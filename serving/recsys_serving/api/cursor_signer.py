"""Texts that this installation gives to clients and knows again: cursors of pages.

A signed text is the URL-safe Base64 of a JSON value and of its HMAC-SHA256. What a cursor is for is part of what is
signed, so that the cursor of one list is none of another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Any

import orjson

from recsys_serving.api.problems import Fault, ProblemError

_MAC_BYTES = 16


class CursorSigner:
    """Makes and reads cursors.

    Args:
        secret: the same in all workers, and after a restart.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, purpose: str, place: Any) -> str:
        """A cursor.

        Args:
            purpose: which list it is for, with all that selects its rows.
            place: where the next page starts; JSON.
        """
        body = orjson.dumps(place)
        return base64.urlsafe_b64encode(self._mac(purpose, body) + body).decode().rstrip("=")

    def read(self, purpose: str, cursor: str) -> Any:
        """Where the next page starts.

        Raises:
            ProblemError: 422, it is no cursor of this list.
        """
        try:
            signed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            signed = b""
        mac, body = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(purpose, body)):
            raise ProblemError(
                422,
                "The cursor is none of this list. Take next_cursor of the page before, with the same other parameters.",
                [Fault("query.cursor", "Not a cursor of this list")],
            )
        return orjson.loads(body)

    def write_moment(self, purpose: str, place: tuple[datetime, str]) -> str:
        """A cursor whose place is a moment and an id."""
        return self.write(purpose, [place[0].isoformat(), place[1]])

    def read_moment(self, purpose: str, cursor: str) -> tuple[datetime, str]:
        """What :meth:`write_moment` wrote.

        Raises:
            ProblemError: 422, it is no cursor of this list.
        """
        moment, text = self.read(purpose, cursor)
        return datetime.fromisoformat(moment), text

    def _mac(self, purpose: str, body: bytes) -> bytes:
        signed = purpose.encode("utf-8", "surrogatepass") + b"\0" + body
        return hmac.new(self._secret, signed, hashlib.sha256).digest()[:_MAC_BYTES]
