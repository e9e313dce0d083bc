"""API keys: 32 random bytes, of which only the SHA-256 is kept.

A key is written ``rk_ID_SECRET``. The id is public: logs and the audit name a key by it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from recsys_serving.store.admin.records import ApiKeyRecord

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")

_SECRET_BYTES = 32
_WRITTEN = re.compile(r"rk_([0-9a-f]{16})_[A-Za-z0-9_\-]{43}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a key that was valid.

    Args:
        key_id: public id of the key.
        name: what the key is for.
        scopes: what it may do.
    """

    key_id: str
    name: str
    scopes: frozenset[str]


def new_key(name: str, scopes: Iterable[str], expires_at: datetime | None = None) -> tuple[str, ApiKeyRecord]:
    """A key, which is shown once, and the record of it, which is kept.

    Args:
        name: what it is for.
        scopes: what it may do.
        expires_at: when it ends; None: never.
    """
    key = f"rk_{secrets.token_hex(8)}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return key, record_of(key, name, scopes, expires_at)


def record_of(key: str, name: str, scopes: Iterable[str], expires_at: datetime | None = None) -> ApiKeyRecord:
    """The record of a key that was made before."""
    key_id = key_id_of(key)
    assert key_id is not None, "keys are made by new_key"
    ordered = tuple(scope for scope in SCOPES if scope in set(scopes))
    return ApiKeyRecord(key_id, name, hash_of(key), ordered, datetime.now(UTC), expires_at)


def key_id_of(key: str) -> str | None:
    """The public id of a key; None where the text is no key at all."""
    written = _WRITTEN.fullmatch(key)
    return None if written is None else written[1]


def hash_of(key: str) -> str:
    """SHA-256 of a key, in hexadecimal. A random key needs no slow hash: nobody can guess it."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_valid(key: str, record: ApiKeyRecord, now: datetime) -> bool:
    """Whether a key is that of the record, and the record still counts; the compare takes the same time always."""
    ends = (record.expires_at, record.revoked_at)
    return hmac.compare_digest(hash_of(key), record.hash) and all(end is None or now < end for end in ends)
