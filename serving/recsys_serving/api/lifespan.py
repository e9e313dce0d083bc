"""Opens what the application answers with when it starts, and closes it in the opposite order when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager

import anyio.to_thread
import structlog
from fastapi import FastAPI

from recsys_serving.api.parts import ServiceParts
from recsys_serving.settings import ServiceSettings

_log = structlog.get_logger("recsys_serving.lifespan")

#: Opens all that answers; what has to be closed goes on the stack.
OpenParts = Callable[[ExitStack], ServiceParts]


def lifespan_of(
    settings: ServiceSettings, open_parts: OpenParts
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What happens around the answers of an application.

    Args:
        settings: of the installation.
        open_parts: opens what answers.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        stack = ExitStack()
        try:
            # Opening a bundle takes seconds, in which the process must go on telling that it is alive.
            app.state.parts = await asyncio.to_thread(open_parts, stack)
            _log.info("started", bundle=settings.bundle.name, runtime=settings.runtime)
            yield
        finally:
            await asyncio.to_thread(stack.close)
            _log.info("stopped")

    return lifespan
