"""Where an installation keeps what is its own, below its directory ``var``.

::

    var/
        postgres/        data of the embedded PostgreSQL      redis/  of the embedded Redis
        spool.sqlite3    changes that wait for the store
        secrets/         the first API key, what signs cursors and receipts, hashes of keys and of erased users; for
                         their owner alone
        metrics/         numbers that workers share
        log/             service.log, app.log
        triton/          log and model repositories of the model server, where there is one
        imported.json    which data the store has, for a start without it
        service.json     process, address and log, as long as the service runs; app.json those of the app
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from recsys_serving.local.secret_files import read_or_make
from recsys_serving.settings import ServiceSettings

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Installation:
    """The files of an installation.

    Args:
        directory: ``var``, absolute.
    """

    directory: Path

    @classmethod
    def of(cls, settings: ServiceSettings) -> Installation:
        """That of some settings."""
        return cls(settings.var.absolute())

    @property
    def postgres(self) -> Path:
        """Data of the embedded PostgreSQL."""
        return self.directory / "postgres"

    @property
    def redis(self) -> Path:
        """Data of the embedded Redis."""
        return self.directory / "redis"

    @property
    def spool(self) -> Path:
        """What waits for the store."""
        return self.directory / "spool.sqlite3"

    @property
    def metrics(self) -> Path:
        """Numbers that workers share."""
        return self.directory / "metrics"

    @property
    def log(self) -> Path:
        """What the service writes."""
        return self.directory / "log" / "service.log"

    @property
    def app_log(self) -> Path:
        """What the app writes."""
        return self.directory / "log" / "app.log"

    @property
    def triton(self) -> Path:
        """Files of the model server."""
        return self.directory / "triton"

    @property
    def api_key(self) -> Path:
        """The first API key."""
        return self.directory / "secrets" / "api_key"

    @property
    def known_keys(self) -> Path:
        """A copy of the API keys that count, for the time that the store is away."""
        return self.directory / "secrets" / "known_keys.sqlite3"

    @property
    def erased_users(self) -> Path:
        """Hashes of users who were erased, for the time that the store is away."""
        return self.directory / "secrets" / "erased_users.json"

    @property
    def imported(self) -> Path:
        """The content of the data that the store got last, for a start without the store."""
        return self.directory / "imported.json"

    @property
    def receipt_key(self) -> Path:
        """What signs receipts of erasures."""
        return self.directory / "secrets" / "receipts.pem"

    def signing_secret(self, settings: ServiceSettings) -> bytes:
        """What signs cursors: that of the settings, or one that this installation makes for itself.

        Raises:
            ServingError: the file cannot be read or written.
        """
        if settings.signing_secret is not None:
            return settings.signing_secret.get_secret_value().encode()
        return read_or_make(self.directory / "secrets" / "signing_secret", lambda: secrets.token_bytes(_SECRET_BYTES))
