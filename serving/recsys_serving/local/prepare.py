"""Makes the store ready before the workers of an image start: ``python -m recsys_serving.local.prepare [DATA]``.

Tables, the first API key, and once the interactions and items of DATA, a prepared directory. The key is RECSYS_API_KEY,
where that is set; else one is made in ``var``. It may be run again and again, and by several at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from recsys.errors import RecsysError
from recsys_serving.local.first_start import PreparedStore, prepare_store
from recsys_serving.local.installation import Installation
from recsys_serving.local.secret_files import read_or_make
from recsys_serving.settings import read_settings

_KEY_VARIABLE = "RECSYS_API_KEY"


def prepare(arguments: Sequence[str], environment: Mapping[str, str]) -> PreparedStore:
    """Make the store of the environment's settings ready.

    Args:
        arguments: of the command line: nothing, or a prepared directory.
        environment: with the key.

    Raises:
        ServingError: the database is away, or the key is none, or another one than that of the store.
        PreparedDataError: the directory is none.
    """
    settings = read_settings()
    installation = Installation.of(settings)
    if key := environment.get(_KEY_VARIABLE):
        read_or_make(installation.api_key, lambda: f"{key}\n".encode())
    data = Path(arguments[0]) if arguments else None
    return prepare_store(settings, installation, data, lambda text: print(f"store: {text}", flush=True))  # noqa: T201


def main() -> None:
    """Make it ready, or say in one line why it is not."""
    try:
        prepare(sys.argv[1:], os.environ)
    except RecsysError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
