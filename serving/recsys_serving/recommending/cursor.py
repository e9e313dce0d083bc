"""A cursor says what was shown, so that the next page has none of it again.

It is signed and holds all that it needs: any server answers it, also after a restart, and nobody can make one that
asks for something else. It names the items that were shown, because the list itself changes with every interaction.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Sequence

import orjson

from recsys.errors import RequestError

#: Items of all pages together, at most: a cursor names them all.
MAX_SHOWN = 1_000
#: Characters of a cursor, at most; longer ones are not read.
MAX_LENGTH = 200_000

#: Bytes up to which a cursor is not compressed, which takes longer than all the rest of it.
_PLAIN_BYTES = 512
#: What a cursor that is not compressed begins with, and a compressed one does not.
_JSON_BEGIN = b"["

_VERSION = 1
_SIGNATURE_BYTES = 16
_NOT_OURS = "The cursor is not one of this service, or was changed. Ask for the first page again, without a cursor."


class CursorCodec:
    """Writes and reads cursors.

    Args:
        secret: what they are signed with.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def encode(self, query_hash: str, shown: Sequence[str]) -> str | None:
        """The cursor after some items; None: so many that no page follows.

        Args:
            query_hash: of whatever decides which items come.
            shown: ids of the items of all pages so far, in their order.
        """
        if len(shown) >= MAX_SHOWN:
            return None
        written = orjson.dumps([_VERSION, query_hash, list(shown)])
        content = written if len(written) <= _PLAIN_BYTES else zlib.compress(written, level=6)
        return base64.urlsafe_b64encode(self._signature(content) + content).rstrip(b"=").decode("ascii")

    def decode(self, cursor: str, query_hash: str) -> list[str]:
        """The ids of the items that were shown.

        Raises:
            RequestError: the cursor is not one of this service, or belongs to another query.
        """
        if len(cursor) > MAX_LENGTH:
            raise RequestError(_NOT_OURS)
        try:
            signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise RequestError(_NOT_OURS) from error
        signature, content = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(content)):
            raise RequestError(_NOT_OURS)
        is_plain = content.startswith(_JSON_BEGIN)
        version, of_query, shown = orjson.loads(content if is_plain else zlib.decompress(content))
        if version != _VERSION:
            raise RequestError(_NOT_OURS)
        if of_query != query_hash:
            raise RequestError(
                "The cursor belongs to another query: user, session, filters, boosts, promotions, exclusions and "
                "diversity must be as they were. Ask for the first page again, without a cursor."
            )
        return list(shown)

    def _signature(self, content: bytes) -> bytes:
        return hmac.new(self._secret, content, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
