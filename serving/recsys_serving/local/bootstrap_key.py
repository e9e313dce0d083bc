"""The first API key of an installation, with all scopes: made once, kept in a file that its owner alone may read."""

from __future__ import annotations

from pathlib import Path

from recsys.errors import ServingError
from recsys_serving.api.security.api_keys import SCOPES, hash_of, key_id_of, new_key, record_of
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.local.secret_files import read_or_make
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.errors import Conflict
from recsys_serving.store.store import Store

NAME = "first key of this installation"


def ensure_bootstrap_key(store: Store, path: Path) -> str:
    """The key in a file, made where there is none, and known to the store.

    A key that was revoked stays so.

    Args:
        store: that is asked for keys.
        path: of the file.

    Raises:
        ServingError: the file cannot be read or written, or holds no key of the store.
        StoreUnavailable: the store is away.
    """
    key, key_id = _key_in(path)
    known = store.api_keys.get(key_id)
    if known is None:
        try:
            with store.transaction():
                store.api_keys.create(record_of(key, NAME, SCOPES))
                store.audit.append(AuditEntry("launcher", "key.create", key_id, {"scopes": list(SCOPES)}))
        except Conflict:
            pass  # another process was first
    elif known.hash != hash_of(key):
        raise ServingError(f"The key in {path} is not the one of the store. Remove the file, and another is made.")
    return key


def bootstrap_key_without_store(path: Path, known: KnownKeys) -> str:
    """The key in a file, for a start while the store is away; one that is made now is let in until the store is back.

    The store gets it then by :func:`ensure_bootstrap_key`. A key that was there before counts as it does without this:
    where it was valid lately.

    Args:
        path: of the file.
        known: keys that are let in while the store is away.

    Raises:
        ServingError: the file cannot be read or written, or holds no key.
    """
    is_new = not path.exists()
    key, _ = _key_in(path)
    if is_new:
        known.note_first(record_of(key, NAME, SCOPES))
    return key


def _key_in(path: Path) -> tuple[str, str]:
    """The key in a file, made where there is none, and its id."""
    key = read_or_make(path, lambda: f"{new_key(NAME, SCOPES)[0]}\n".encode()).decode().strip()
    key_id = key_id_of(key)
    if key_id is None:
        raise ServingError(f"{path} must hold an API key, rk_..., but does not. Remove it, and another one is made.")
    return key, key_id
