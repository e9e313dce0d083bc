"""Joins what several threads ask at the same time into batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from recsys.retrieval.concurrency.fork_safety import call_after_fork

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class MicroBatcher(Generic[RequestT, ResponseT]):
    """Answers each caller from a batch with those who came while the batches before it ran.

    Nobody waits for company: a caller who finds a worker's place free takes it at once and answers all who wait, those
    who came first first. So a single client has the latency of a batch of one and no change of thread, and under load
    the batches grow by themselves.

    Whatever goes wrong in one call ends with that call: a request that cannot be answered or compared has an error of
    its own, and where a thread is interrupted while it answers others, they wait for another one. A process that is
    forked while requests are under way begins with nobody waiting.

    Args:
        answer: answers a batch, in its order; it may run in ``num_workers`` threads at once.
        key_of: only what has the same key is joined.
        max_batch: size of a batch, at most.
        num_workers: batches that are answered at once.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[RequestT]], Sequence[ResponseT]],
        key_of: Callable[[RequestT], Hashable],
        max_batch: int,
        num_workers: int,
    ) -> None:
        self._answer = answer
        self._key_of = key_of
        self._max_batch = max_batch
        self._num_workers = num_workers
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[RequestT, ResponseT]] = []
        #: Tickets of the callers who answer a batch now.
        self._working: set[_Ticket[RequestT, ResponseT]] = set()
        call_after_fork(self.begin_anew)

    def __call__(self, request: RequestT) -> ResponseT:
        """The answer to one question; raises what answering it raised."""
        ticket: _Ticket[RequestT, ResponseT] = _Ticket(request, self._key_of(request))
        try:
            with self._lock:
                self._waiting.append(ticket)
            while not ticket.done:
                self._serve_or_wait(ticket)
        finally:
            if not ticket.done:  # the caller was interrupted and asks no more
                with self._lock:
                    ticket.abandoned = True
                    self._waiting = [other for other in self._waiting if other is not ticket]
                    self._wake_next()
        return ticket.result()

    def begin_anew(self) -> None:
        """Let nobody wait and nobody work, as in a process that was forked."""
        self._lock, self._waiting, self._working = threading.Lock(), [], set()

    def _serve_or_wait(self, ticket: _Ticket[RequestT, ResponseT]) -> None:
        """Answer a batch where a worker's place is free, else wait until this caller is woken."""
        batch: list[_Ticket[RequestT, ResponseT]] = []
        try:
            with self._lock:
                ticket.forget_wake()
                serves = not (ticket.done or ticket.taken) and len(self._working) < self._num_workers
                if serves:
                    self._working.add(ticket)
                    self._take(batch)
            if serves:
                self._serve(batch)
            elif not ticket.done:
                ticket.wait()
        finally:
            if batch:
                self._end(ticket, batch)

    def _end(self, ticket: _Ticket[RequestT, ResponseT], batch: list[_Ticket[RequestT, ResponseT]]) -> None:
        """Give a worker's place back, and wake those who have answers.

        An interrupt may have come at any line before: whoever has no answer yet waits for another worker.
        """
        with self._lock:
            self._working.discard(ticket)
            if left := [one for one in batch if not (one.done or one.abandoned)]:
                for one in left:
                    one.taken = False
                self._waiting = [*left, *(one for one in self._waiting if one not in left)]
            for one in batch:
                if one.done and one is not ticket:
                    one.wake()
            self._wake_next()

    def _wake_next(self) -> None:
        """Wake as many of those who wait as there are free places, and nobody for nothing: each waits by itself."""
        for one in self._waiting[: self._num_workers - len(self._working)]:
            one.wake()

    def _take(self, batch: list[_Ticket[RequestT, ResponseT]]) -> None:
        """Move the first who waits, and those who can be joined with it, into ``batch``; they wait no longer."""
        first, *others = self._waiting
        batch.append(first)
        batch.extend([other for other in others if _same(first.key, other.key)][: self._max_batch - 1])
        for one in batch:
            one.taken = True
        self._waiting = [one for one in others if not one.taken]

    def _serve(self, batch: list[_Ticket[RequestT, ResponseT]]) -> None:
        try:
            answers = list(self._answer([ticket.request for ticket in batch]))
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(batch)} requests need as many answers, but {len(answers)} came.")
        except Exception as error:
            if len(batch) > 1:
                # One of them is at fault, and the others shall not know.
                for ticket in batch:
                    self._serve([ticket])
                return
            batch[0].fail(error)
            return
        for ticket, answer in zip(batch, answers, strict=True):
            ticket.give(answer)


class _Ticket(Generic[RequestT, ResponseT]):
    """One question on its way."""

    def __init__(self, request: RequestT, key: Hashable) -> None:
        self.request = request
        self.key = key
        self.taken = False
        self.abandoned = False
        self.done = False
        self._is_woken = self._has_noticed = False
        self._wakes = threading.Lock()
        self._wakes.acquire()
        self._answer: list[ResponseT] = []
        self._error: Exception | None = None

    def wait(self) -> None:
        """Until this ticket is woken, which may have been before."""
        self._wakes.acquire()
        self._has_noticed = True

    def wake(self) -> None:
        """Wake the caller, unless it has been woken and does not know yet; under the lock of all."""
        if not self._is_woken:
            self._is_woken = True
            self._wakes.release()

    def forget_wake(self) -> None:
        """The caller looks around and may be woken again; under the lock of all."""
        if self._has_noticed:
            self._is_woken = self._has_noticed = False

    def give(self, answer: ResponseT) -> None:
        self._answer.append(answer)
        self.done = True

    def fail(self, error: Exception) -> None:
        self._error = error
        self.done = True

    def result(self) -> ResponseT:
        if self._error is not None:
            raise self._error
        return self._answer[0]


def _same(key: Hashable, other: Hashable) -> bool:
    """Whether two keys are equal; not, where they cannot be compared."""
    try:
        return bool(key == other)
    except Exception:
        return False
