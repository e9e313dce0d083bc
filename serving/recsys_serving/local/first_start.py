"""What the store needs before the service answers: its tables, the first API key, and the data of the bundle, once.

Data are imported once for each content, which the audit notes: a user who was erased does not come back at the next
start.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recsys.cli.whole_files import whole_file
from recsys.errors import ServingError
from recsys.runtime.manifest import Manifest
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.local.bootstrap_key import bootstrap_key_without_store, ensure_bootstrap_key
from recsys_serving.local.installation import Installation
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.store import Store

#: Act of the audit that notes an import.
IMPORT = "data.import"

_RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class PreparedStore:
    """A store that is ready.

    Args:
        key: the first API key.
        has_histories: whether all interactions of the bundle are in the store.
    """

    key: str
    has_histories: bool


def prepare_store(
    settings: ServiceSettings, installation: Installation, data: Path | None, say: Callable[[str], None]
) -> PreparedStore:
    """Make the store ready.

    Args:
        settings: with the address of the database.
        installation: whose first key it gets.
        data: a prepared directory; None: that of the bundle's run, where it is still there.
        say: told what is done.

    Returns:
        The first API key, and whether the store has all interactions of the bundle.

    Raises:
        BundleError: there is no bundle.
        PreparedDataError: ``data`` is no prepared directory.
        ServingError: the database is away, or belongs to a later version of the service.
    """
    manifest = Manifest.read(settings.bundle)
    if settings.database_url is None:
        raise ServingError("The address of the database is required: set RECSYS_DATABASE_URL.")
    url = settings.database_url.get_secret_value()
    say("tables")
    migrate(url)
    store = Store.connect(url)
    try:
        key = ensure_bootstrap_key(store, installation.api_key)
        directory = data or data_of(manifest)
        if directory is None:
            say(f"no data: those of {manifest.retriever.run} are not here, so histories are those of the bundle")
        else:
            import_once(store, directory, say)
        has_histories = manifest.data.content_hash in imported_contents(store)
        if has_histories:
            _note_import(installation, manifest)
        return PreparedStore(key, has_histories)
    finally:
        store.close()


def store_while_away(settings: ServiceSettings, installation: Installation) -> PreparedStore:
    """What is known of the store without asking it, for a service that starts while it is away.

    Args:
        settings: of the installation.
        installation: whose first key is made where there is none.

    Returns:
        The first API key, and whether the store had all interactions of the bundle when it was there last.

    Raises:
        BundleError: there is no bundle.
        ServingError: the key can neither be read nor made.
    """
    key = bootstrap_key_without_store(installation.api_key, KnownKeys(installation.known_keys))
    return PreparedStore(key, _noted_import(installation) == Manifest.read(settings.bundle).data.content_hash)


def _note_import(installation: Installation, manifest: Manifest) -> None:
    with whole_file(installation.imported) as partial:
        partial.write_text(json.dumps({"content_hash": manifest.data.content_hash}), encoding="utf-8")


def _noted_import(installation: Installation) -> str | None:
    try:
        return str(json.loads(installation.imported.read_text(encoding="utf-8"))["content_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def data_of(manifest: Manifest) -> Path | None:
    """The prepared directory that a bundle's run was trained on; None where it is not there or has other data now."""
    try:
        run = json.loads((Path(manifest.retriever.run) / _RUN_FILE).read_text(encoding="utf-8"))
        directory, content = Path(run["data_directory"]), run["data_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_the_same = content == manifest.data.content_hash and content_of(directory) == content
    return directory if is_the_same else None


def import_once(store: Store, directory: Path, say: Callable[[str], None]) -> bool:
    """Import a prepared directory, if its content was not imported before.

    Args:
        store: that gets users, items and interactions.
        directory: with them.
        say: told what is done.

    Returns:
        Whether it was imported now.

    Raises:
        PreparedDataError: it is missing or damaged.
    """
    content = content_of(directory)
    if content is not None and content in imported_contents(store):
        return False
    say(f"data of {directory}, once")
    result = store.import_prepared(directory)
    added = {"users": result.users, "items": result.items, "interactions": result.interactions}
    store.audit.append(AuditEntry("launcher", IMPORT, content, added))
    return True


def imported_contents(store: Store) -> set[str | None]:
    """The content of all data that a store got."""
    return {entry.target for entry in store.audit.list_entries(limit=1000, act=IMPORT)}


def content_of(directory: Path) -> str | None:
    """The hash of the content of a prepared directory; None where there is none."""
    try:
        schema = json.loads((directory / "schema.json").read_text(encoding="utf-8"))
        return str(schema["content_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
