"""Joins what several threads ask at the same time into batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class MicroBatcher(Generic[RequestT, ResponseT]):
    """Answers each caller from a batch with those who came while the batches before it ran.

    Nobody waits for company: a caller who finds a worker's place free takes it at once and answers all who wait, those
    who came first first. So a single client has the latency of a batch of one and no change of thread, and under load
    the batches grow by themselves.

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
        self._free_workers = num_workers
        self._changed = threading.Condition()
        self._waiting: list[_Ticket[RequestT, ResponseT]] = []

    def __call__(self, request: RequestT) -> ResponseT:
        """The answer to one question; raises what answering its batch raised."""
        ticket: _Ticket[RequestT, ResponseT] = _Ticket(request, self._key_of(request))
        with self._changed:
            self._waiting.append(ticket)
        while not ticket.done:
            with self._changed:
                while not ticket.done and (ticket.taken or self._free_workers == 0):
                    self._changed.wait()
                if ticket.done:
                    break
                batch = self._take()
                self._free_workers -= 1
            try:
                self._serve(batch)
            finally:
                with self._changed:
                    self._free_workers += 1
                    self._changed.notify_all()
        return ticket.result()

    def _take(self) -> list[_Ticket[RequestT, ResponseT]]:
        """The first who waits, and those who can be joined with it; they wait no longer."""
        batch = [ticket for ticket in self._waiting if ticket.key == self._waiting[0].key][: self._max_batch]
        for ticket in batch:
            ticket.taken = True
        self._waiting = [ticket for ticket in self._waiting if not ticket.taken]
        return batch

    def _serve(self, batch: list[_Ticket[RequestT, ResponseT]]) -> None:
        try:
            answers = self._answer([ticket.request for ticket in batch])
        except (KeyboardInterrupt, SystemExit) as error:
            # The thread that works is interrupted: the others get an error, and do not wait for ever.
            for ticket in batch:
                ticket.fail(RuntimeError(f"The batch was interrupted ({type(error).__name__})."))
            raise
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
        self.done = False
        self._answer: list[ResponseT] = []
        self._error: Exception | None = None

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
