"""Logs as lines of JSON, with the id of the request; one line an event, whatever it holds.

Bodies, keys and the ids of users are not logged: the line of a request has the template of its path, and a traceback
has no values of variables.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from recsys_serving.api.observability.request_ids import current_request_id

#: Loggers of libraries that only speak up when something is wrong.
_QUIET = ("uvicorn.access", "purgatory", "stamina", "httpx", "alembic", "sqlalchemy.engine")


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Write the logs of this process, those of libraries included, as JSON.

    Args:
        level: the least that is logged: ``debug``, ``info``, ``warning`` or ``error``.
        stream: where they go; None: standard error.
    """
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.ExceptionRenderer(tracebacks),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)  # the level of all counts, whoever set one before
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _add_request_id(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if request_id := current_request_id():
        event["request_id"] = request_id
    return event


def _dumps(event: object, **options: Any) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
