"""Settings of the real-time service, from the environment: ``RECSYS_PORT=8000``, ``RECSYS_BUNDLE=bundles/first``.

Values are checked when they are read, an unknown ``RECSYS_...`` variable is an error, and what is secret does not show
in a text of the settings. :func:`read_settings` is how the service reads them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from recsys.errors import SettingsError

PREFIX = "RECSYS_"

#: Variables of the framework and of its tests that are no settings of the service.
OTHER_VARIABLES = frozenset(
    {"RECSYS_CACHE", "RECSYS_ADMIN_KEY", "RECSYS_ENTRY_POINT", "RECSYS_API_URL", "RECSYS_API_KEY"}
)

#: The value of ``redis_url`` that keeps cache and rate limits in each worker's memory.
MEMORY = "memory"

#: Fewest characters of the secret that signs, in production.
SECRET_LENGTH = 32

_DEFAULT_PASSWORDS = frozenset({"", "postgres", "password", "recsys", "redis", "secret", "changeme", "admin", "test"})


class ServiceSettings(BaseSettings):
    """What an installation of the service is like.

    Args:
        environment: ``production`` refuses what is only good enough for a try: embedded servers that were not asked
            for, default passwords, a missing or short signing secret.
        var: directory of this installation: embedded servers, the spool, keys that it made, logs.
        database_url: of PostgreSQL, ``postgresql://...``; None: the launcher starts an embedded server.
        redis_url: ``redis://...`` or ``rediss://...``; None: an embedded server; ``memory``: each worker's own memory.
        embedded_servers: whether embedded servers are wanted; None: yes in development, no in production.
        signing_secret: signs cursors; None, in development alone: one that the installation makes for itself.
        runtime: where models run, ``inprocess`` or on a Triton server at ``triton_url`` (host:port of its gRPC).
        bundle: directory of the bundle that answers first; later ones are activated by the API.
        bundles: directory in which the bundles are that may be activated by name; None: that of ``bundle``.
        host: address to listen on.
        port: to listen on; None: a free one.
        workers: processes that answer.
        bundle_histories: whether the history of a user in the store goes on from that in the bundle; False where the
            store has all interactions, so that what is deleted or erased there is gone at once. The launcher sets it
            so where it has imported the data of the bundle.
        interaction_types: that make a history; None: all.
        deadline_seconds: that a list may wait for all it depends on, and ``store_timeout_seconds`` and
            ``runtime_timeout_seconds`` for one of them; without it the list is a plainer one.
        *_timeout_seconds: how long a dependency may take before it counts as away.
        max_*: what one request may ask for at most.
        recommendation_ttl_seconds: how long a list is kept in the cache.
        key_ttl_seconds: how long an API key counts without being looked up again, and a revoked one still counts.
        key_grace_seconds: how long a known key counts while the store is away.
        exploration_*: interactions that are a success of an item in a slot that explores, how long after a list they
            count, how old lists may be, and how often items are counted, for ``thompson``.
        rollout_seconds: between two looks at rollouts of experiments, which one worker at a time takes.
        *_retention_days: how long rows are kept; None: for ever. ``interaction_type_retention_days`` is by type, such
            as ``{"view": 90}``.
        bundle_retention_days: until when, after an erasure, bundles that still contain the user are in use at most.
        log_max_bytes: of the log, of which one more is kept.
        otel_endpoint: where traces go by OTLP over HTTP; None: nowhere.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=True)

    environment: Literal["development", "production"] = "development"
    var: Path = Path("var")
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    embedded_servers: bool | None = None
    signing_secret: SecretStr | None = None

    runtime: Literal["inprocess", "triton"] = "inprocess"
    triton_url: str | None = None
    bundle: Path = Path("bundles/demo")
    bundles: Path | None = None

    bundle_histories: bool = True
    interaction_types: tuple[str, ...] | None = None

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    threads: int = Field(default=16, ge=1, le=256)
    shutdown_timeout_seconds: float = Field(default=20, gt=0, le=600)

    database_timeout_seconds: float = Field(default=2, gt=0, le=60)
    database_connect_timeout_seconds: float = Field(default=2, gt=0, le=60)
    database_pool_size: int = Field(default=16, ge=1, le=100)
    redis_timeout_seconds: float = Field(default=0.25, gt=0, le=10)
    deadline_seconds: float = Field(default=0.8, gt=0, le=60)
    store_timeout_seconds: float = Field(default=0.2, gt=0, le=60)
    runtime_timeout_seconds: float = Field(default=0.25, gt=0, le=60)
    breaker_threshold: int = Field(default=3, ge=1, le=100)
    breaker_seconds: float = Field(default=2, gt=0, le=600)

    max_body_bytes: int = Field(default=1_000_000, ge=1_000, le=100_000_000)
    max_json_depth: int = Field(default=16, ge=4, le=64)
    max_batch: int = Field(default=500, ge=1, le=10_000)
    max_requests: int = Field(default=50, ge=1, le=1_000)
    max_k: int = Field(default=200, ge=1, le=10_000)
    max_history: int = Field(default=500, ge=1, le=10_000)
    max_list: int = Field(default=1_000, ge=1, le=100_000)

    rate_limit: str = "60000/minute"
    admin_rate_limit: str = "300/minute"
    failed_login_limit: str = "30/minute"

    history_limit: int = Field(default=500, ge=1, le=10_000)
    seen_limit: int = Field(default=50_000, ge=1, le=1_000_000)
    recommendation_ttl_seconds: float = Field(default=300, gt=0, le=86_400)
    cache_max_entries: int = Field(default=10_000, ge=1, le=10_000_000)
    cache_max_bytes: int = Field(default=256_000_000, ge=1_000_000)
    key_ttl_seconds: float = Field(default=5, ge=0, le=3_600)
    key_grace_seconds: float = Field(default=3_600, ge=0, le=86_400)
    exposure_queue_size: int = Field(default=10_000, ge=1, le=1_000_000)
    exposure_flush_seconds: float = Field(default=0.5, gt=0, le=60)
    exploration_types: tuple[str, ...] = ("click",)
    exploration_outcome_seconds: float = Field(default=3_600, gt=0, le=30 * 86_400)
    exploration_days: float = Field(default=30, gt=0, le=366)
    exploration_seconds: float = Field(default=60, gt=0, le=86_400)
    rollout_seconds: float = Field(default=60, gt=0, le=86_400)
    spool_max_bytes: int = Field(default=1_000_000_000, ge=1_000_000)
    spool_drain_seconds: float = Field(default=1, gt=0, le=60)

    interaction_retention_days: int | None = Field(default=None, ge=1)
    interaction_type_retention_days: dict[str, int] = Field(default_factory=dict)
    exposure_retention_days: int | None = Field(default=180, ge=1)
    audit_retention_days: int | None = Field(default=None, ge=1)
    bundle_retention_days: int = Field(default=30, ge=1, le=3_650)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_max_bytes: int = Field(default=100_000_000, ge=10_000)
    otel_endpoint: str | None = None

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, url: SecretStr | None) -> SecretStr | None:
        return _check_scheme(url, ("postgresql", "postgresql+psycopg"), "database_url")

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and url.get_secret_value() == MEMORY:
            return url
        return _check_scheme(url, ("redis", "rediss", "unix"), "redis_url")

    @field_validator("rate_limit", "admin_rate_limit", "failed_login_limit")
    @classmethod
    def _check_rate(cls, text: str) -> str:
        from limits import parse

        try:
            parse(text)
        except ValueError as error:
            raise ValueError(f"such as 3000/minute is required, but {text!r} came") from error
        return text

    @field_validator("interaction_type_retention_days")
    @classmethod
    def _check_days(cls, days: dict[str, int]) -> dict[str, int]:
        if any(number < 1 for number in days.values()):
            raise ValueError("a retention is one day or more")
        return days

    @model_validator(mode="after")
    def _check_runtime(self) -> ServiceSettings:
        if self.runtime == "triton" and self.triton_url is None:
            raise ValueError("runtime=triton requires triton_url, such as localhost:8001")
        return self

    @model_validator(mode="after")
    def _check_bundles(self) -> ServiceSettings:
        if self.bundle.absolute().parent != self.bundles_directory:
            raise ValueError(
                f"bundle must lie in bundles, {self.bundles_directory}, but it is {self.bundle.absolute()}"
            )
        return self

    @model_validator(mode="after")
    def _check_production(self) -> ServiceSettings:
        if self.environment == "production" and (problems := list(_unfit_for_production(self))):
            raise ValueError("in production " + "; ".join(problems))
        return self

    @property
    def is_production(self) -> bool:
        """Whether people depend on this installation."""
        return self.environment == "production"

    @property
    def wants_embedded(self) -> bool:
        """Whether servers without a URL are started on this machine."""
        return not self.is_production if self.embedded_servers is None else self.embedded_servers

    @property
    def bundles_directory(self) -> Path:
        """Where the bundles lie that may be activated by name."""
        return self.bundle.absolute().parent if self.bundles is None else self.bundles.absolute()


def _check_scheme(url: SecretStr | None, schemes: tuple[str, ...], name: str) -> SecretStr | None:
    """The URL, if it is one of these schemes; its text, which may hold a password, is in no message."""
    if url is not None and urlsplit(url.get_secret_value()).scheme not in schemes:
        raise ValueError(f"{name} must start with {' or '.join(scheme + '://' for scheme in schemes)}")
    return url


def _unfit_for_production(settings: ServiceSettings) -> Iterable[str]:
    secret = None if settings.signing_secret is None else settings.signing_secret.get_secret_value()
    if secret is None or len(secret) < SECRET_LENGTH or len(set(secret)) < 8:
        yield f"signing_secret is required, {SECRET_LENGTH} characters or more, made at random"
    for name, url in (("database_url", settings.database_url), ("redis_url", settings.redis_url)):
        if url is None and not settings.wants_embedded:
            yield f"{name} is required, or embedded_servers=true"
        if url is not None and urlsplit(url.get_secret_value()).password in _DEFAULT_PASSWORDS:
            yield f"the password in {name} must not be a default one"


def read_settings(**values: object) -> ServiceSettings:
    """The settings of the environment, with ``values`` in their place where they are given.

    Raises:
        SettingsError: a value is of a wrong type or out of range, or a ``RECSYS_`` variable is no setting.
    """
    names = {PREFIX + name.upper() for name in ServiceSettings.model_fields} | OTHER_VARIABLES
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in names)
    if unknown:
        raise SettingsError(f"The environment has {', '.join(unknown)}, which are no settings of the service.")
    try:
        return ServiceSettings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        # The text of pydantic's error shows the value, which may be a secret.
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}{_came(fault)}"
            for fault in error.errors()
        ]
        raise SettingsError("Settings of the service: " + "; ".join(faults) + ".") from None


def _came(fault: ErrorDetails) -> str:
    """What came in place of a word or a number; the settings that are secret are neither."""
    is_plain = fault["type"].startswith(("literal_", "int_", "float_", "bool_", "greater_", "less_"))
    return f", but is {fault['input']!r}" if is_plain else ""


def to_environment(settings: ServiceSettings) -> dict[str, str]:
    """Variables from which :func:`read_settings` makes these settings in another process.

    Args:
        settings: those that were set, and not left as they are by default, become variables.
    """
    variables = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            variables[PREFIX + name.upper()] = (
                json.dumps(value) if isinstance(value, dict | bool | tuple) else str(value)
            )
    return variables
