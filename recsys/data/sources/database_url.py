"""Where a database is: the URL that is given, or that of a variable, which keeps a password out of a run's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from recsys.errors import SourceError

if TYPE_CHECKING:
    from sqlalchemy import URL


def database_url(url: str | None, variable: str, missing: str, required: str) -> URL:
    """The URL of a database.

    Args:
        url: what the settings say; None or empty for the variable.
        variable: of the environment.
        missing: what to give where there is none of both, as the beginning of a sentence.
        required: what the URL must be, as the beginning of a sentence.

    Raises:
        SourceError: there is none, or it is no URL; the message does not repeat it.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    given = url or os.environ.get(variable)
    if not given:
        raise SourceError(
            f"{missing}, or the variable {variable}, which keeps a password out of the run's files. Give one of them."
        )
    try:
        return make_url(given)
    except (ArgumentError, ValueError):  # the latter of a port; its text may have the password
        raise SourceError(f"{required}, and is not. Correct it, or the variable {variable}.") from None


def place_of(url: URL) -> str:
    """Host and name of a database, without user and password, for messages and fingerprints."""
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"
