"""A client of HTTP/1.1 for load tests: one thread, connections that stay open, and little work for each request.

Requests are bytes that are ready, answers are looked at no more than needed, and the wait for the next moment is
``select``, whose clock is finer than a millisecond. So the client takes a small share of a core that it has in common
with what it measures.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_NOT_DEGRADED = b'"degraded":[]'
_READ_BYTES = 1 << 16

#: Seconds that answers under way get when the time is over.
_LAST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """One request.

    Args:
        kind: under which its time is counted.
        content: all of its bytes.
        is_list: whether the answer is a list, which says whether it is degraded.
    """

    kind: str
    content: bytes
    is_list: bool = True


@dataclass(slots=True)
class LoadResult:
    """What came of a load.

    Args:
        seconds: from the moment that a request was due to its whole answer, by kind.
        begun: when the load began, on the clock of ``time.perf_counter``.
        ended: when the last answer was there.
        statuses: number of answers by status; 0: a connection that broke, or an answer that never came.
        num_degraded: lists that had to do without something.
        num_connections: that were opened.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    begun: float = 0.0
    ended: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    num_degraded: int = 0
    num_connections: int = 0

    @property
    def num_answers(self) -> int:
        """Answers that came, whatever they say."""
        return sum(number for status, number in self.statuses.items() if status)

    @property
    def num_errors(self) -> int:
        """Answers of another status than 2xx, and those that never came."""
        return sum(number for status, number in self.statuses.items() if not 200 <= status < 300)

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return self.num_answers / max(1e-9, self.ended - self.begun)


@dataclass(slots=True, eq=False)
class _Connection:
    socket: socket.socket
    request: LoadRequest | None = None
    due: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class LoadClient:
    """Sends requests and times their answers.

    Args:
        address: host and port.
        num_connections: that are opened at first; they are used in turn.
        max_connections: at once; what is due while all of them wait for answers is sent later, and its time runs.
    """

    def __init__(self, address: tuple[str, int], num_connections: int = 32, max_connections: int = 256) -> None:
        self._address, self._max_connections = address, max_connections
        self._epoll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._idle: deque[_Connection] = deque()
        self._result = LoadResult()
        for _ in range(num_connections):
            self._idle.append(self._opened())

    def spread(self, owner_of: Callable[[int], int | None]) -> dict[int, int]:
        """Close what one worker has more of than another, so that all of them have the same number of connections.

        Args:
            owner_of: the process that has the other end of a connection, by the port of this end.

        Returns:
            The number of connections of each process.
        """
        owned: dict[int, list[_Connection]] = {}
        for one in list(self._idle):
            owner = owner_of(one.socket.getsockname()[1])
            if owner is None:
                self._drop(one)
            else:
                owned.setdefault(owner, []).append(one)
        fewest = min(map(len, owned.values()), default=0)
        self._idle = deque(one for together in zip(*owned.values(), strict=False) for one in together)
        for one in [one for connections in owned.values() for one in connections[fewest:]]:
            self._drop(one)
        return {owner: fewest for owner in owned}

    def run_open(self, requests: Iterator[LoadRequest], dues: Iterator[float]) -> LoadResult:
        """Send each request at its moment, whatever became of those before: an open loop.

        Args:
            requests: as many as there are moments.
            dues: seconds from the beginning, ascending.
        """
        self._begin()
        waiting: deque[tuple[LoadRequest, float]] = deque()
        begun = self._result.begun
        next_due = next(dues, None)
        while next_due is not None or waiting:
            now = time.perf_counter()
            while next_due is not None and begun + next_due <= now:
                waiting.append((next(requests), begun + next_due))
                next_due = next(dues, None)
            while waiting and (free := self._free()) is not None:
                self._send(free, *waiting.popleft())
            pause = 0.05 if next_due is None else begun + next_due - time.perf_counter()
            self._receive(pause)
        return self._end()

    def run_closed(self, requests: Iterator[LoadRequest], num_clients: int, seconds: float) -> LoadResult:
        """Let a number of clients ask for some seconds, each as soon as it has its answer: a closed loop.

        It ends sooner where there are no more requests.
        """
        self._begin()
        end = self._result.begun + seconds
        while (now := time.perf_counter()) < end:
            while self._num_busy() < num_clients and (free := self._free()) is not None:
                if (request := next(requests, None)) is None:
                    self._idle.append(free)
                    return self._end()
                self._send(free, request, now)
            self._receive(end - now)
        return self._end()

    def close(self) -> None:
        """Close all connections."""
        for one in list(self._connections.values()):
            self._drop(one)
        self._epoll.close()

    def _begin(self) -> None:
        now = time.perf_counter()
        self._result = LoadResult(begun=now, ended=now)

    def _end(self) -> LoadResult:
        """Wait for what is under way; what does not come is an answer that never came."""
        last = time.perf_counter() + _LAST_SECONDS
        while self._num_busy() and time.perf_counter() < last:
            self._receive(0.05)
        for one in [one for one in self._connections.values() if one.request is not None]:
            self._fail(one)
        return self._result

    def _num_busy(self) -> int:
        return len(self._connections) - len(self._idle)

    def _free(self) -> _Connection | None:
        """A connection for one request; None where all are in use."""
        if self._idle:
            return self._idle.popleft()
        return None if len(self._connections) >= self._max_connections else self._opened()

    def _opened(self) -> _Connection:
        opened = socket.create_connection(self._address, timeout=5.0)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        connection = _Connection(opened)
        self._connections[opened.fileno()] = connection
        self._epoll.register(opened.fileno(), select.EPOLLIN)
        self._result.num_connections += 1
        return connection

    def _send(self, connection: _Connection, request: LoadRequest, due: float) -> None:
        connection.request, connection.due = request, due
        try:
            sent = connection.socket.send(request.content)
            assert sent == len(request.content), "a request fits into the buffer of a socket"
        except OSError:
            self._fail(connection)

    def _receive(self, seconds: float) -> None:
        """Take what arrives within some seconds, and go on with the first that does."""
        # epoll waits for whole milliseconds, select does not.
        if seconds > 0:
            select.select([self._epoll], [], [], seconds)
        for number, _ in self._epoll.poll(0):
            connection = self._connections[number]
            try:
                received = connection.socket.recv(_READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                received = b""
            if not received:
                self._fail(connection)
                continue
            connection.received += received
            self._take_answer(connection)

    def _take_answer(self, connection: _Connection) -> None:
        received, request = connection.received, connection.request
        head_end = received.find(_HEAD_END)
        if head_end < 0 or request is None:
            return
        end = head_end + len(_HEAD_END) + _body_length(received, head_end)
        if len(received) < end:
            return
        now = time.perf_counter()
        result, status = self._result, int(received[9:12])
        result.seconds.setdefault(request.kind, []).append(now - connection.due)
        result.ended = now
        result.statuses[status] = result.statuses.get(status, 0) + 1
        if request.is_list and status == 200 and received.find(_NOT_DEGRADED, head_end) < 0:
            result.num_degraded += 1
        received.clear()
        connection.request = None
        self._idle.append(connection)

    def _fail(self, connection: _Connection) -> None:
        if connection.request is not None:
            self._result.statuses[0] = self._result.statuses.get(0, 0) + 1
        self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        self._connections.pop(connection.socket.fileno(), None)
        if connection in self._idle:
            self._idle.remove(connection)
        connection.socket.close()


def _body_length(received: bytearray, head_end: int) -> int:
    place = received.find(_LENGTH, 0, head_end + 2)
    if place < 0:
        return 0
    begin = place + len(_LENGTH)
    line_end = received.find(b"\r\n", begin)
    return int(received[begin:line_end])
