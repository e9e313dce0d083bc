"""A connection to PostgreSQL that waits for an answer for a limited time, whatever the other side does.

The server keeps the timeout of a statement only as long as it runs. One that was stopped, or a network that swallows
what is sent, keeps nothing, and a thread that waits for it would wait for ever.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

ResultT = TypeVar("ResultT")

#: Seconds beyond the timeout of a statement in which the server may say that it has ended it.
LONGER_SECONDS = 1.0


class PatientConnection(psycopg.Connection[Any]):
    """Gives up when an answer is late, and is closed then: what would come of it later belongs to no call.

    ``patience_seconds`` is how long one answer may take; None: as long as it takes.
    """

    patience_seconds: float | None = None

    def wait(self, gen: Generator[Any, Any, ResultT], *args: Any, **options: Any) -> ResultT:
        """Drive one exchange with the server, see psycopg.

        Raises:
            psycopg.OperationalError: it took too long.
        """
        if self.patience_seconds is None:
            return super().wait(gen, *args, **options)
        return super().wait(self._limited(gen, self.patience_seconds), *args, **options)

    def _limited(self, gen: Generator[Any, Any, ResultT], seconds: float) -> Generator[Any, Any, ResultT]:
        """The same exchange; psycopg comes by several times a second, also where nothing has arrived."""
        end = time.monotonic() + seconds
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer within {seconds:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as stop:
            result: ResultT = stop.value
            return result
