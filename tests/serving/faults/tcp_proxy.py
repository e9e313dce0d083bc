"""A TCP proxy between a client and a server that makes the faults of a network and of servers, when it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

_CHUNK = 65536


class Fault(StrEnum):
    """What the proxy does."""

    PASS = "pass"  #: everything goes through
    REFUSE = "refuse"  #: nobody listens, and what was open is reset
    DROP = "drop"  #: connections are taken and closed at once, and what was open is reset
    DELAY = "delay"  #: each piece of an answer comes later
    CUT = "cut"  #: an answer ends in its middle
    BLACK_HOLE = "black hole"  #: connections are taken, and nothing goes through


class TcpProxy:
    """Listens on a port of this machine and speaks to a server; a context manager.

    Args:
        server: the server's Unix socket, or its host and port.
        delay_seconds: that a piece of an answer takes longer with :attr:`Fault.DELAY`.
        cut_bytes: of an answer that go through with :attr:`Fault.CUT`.
    """

    def __init__(self, server: Path | tuple[str, int], delay_seconds: float = 2.0, cut_bytes: int = 10) -> None:
        self._server = server
        self._delay_seconds = delay_seconds
        self._cut_bytes = cut_bytes
        self._fault = Fault.PASS
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    def __enter__(self) -> TcpProxy:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def make(self, fault: Fault) -> None:
        """Do this from now on; on return it is so."""
        self._run(self._make(fault))

    async def _make(self, fault: Fault) -> None:
        was, self._fault = self._fault, fault
        if fault is Fault.REFUSE:
            await self._deafen()
        elif self._listener is None:
            await self._listen()
        # What a black hole has swallowed cannot go on.
        if fault in (Fault.REFUSE, Fault.DROP) or was is Fault.BLACK_HOLE:
            self._reset()

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _deafen(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _close(self) -> None:
        await self._deafen()
        self._reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _reset(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this in a task"
        self._tasks.add(task)
        self._open.add(writer)
        try:
            if self._fault is not Fault.DROP:
                await self._connect(reader, writer)
        except OSError:  # the server is away, or one of the two has gone
            pass
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            writer.transport.abort()
            self._open.discard(writer)
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self._server, Path):
            to_server = await asyncio.open_unix_connection(str(self._server))
        else:
            to_server = await asyncio.open_connection(*self._server)
        self._open.add(to_server[1])
        ways = [
            asyncio.ensure_future(self._carry(reader, to_server[1], is_answer=False)),
            asyncio.ensure_future(self._carry(to_server[0], writer, is_answer=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server[1].transport.abort()
            self._open.discard(to_server[1])

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool) -> None:
        while data := await reader.read(_CHUNK):
            if self._fault is Fault.BLACK_HOLE:
                continue
            if is_answer and self._fault is Fault.DELAY:
                await asyncio.sleep(self._delay_seconds)
            if is_answer and self._fault is Fault.CUT:
                writer.write(data[: self._cut_bytes])
                await writer.drain()
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=600)
