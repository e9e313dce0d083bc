"""Ctrl-C in a command: one line and status 130, whatever it was doing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Exit status of a command that was interrupted, as a shell reports it.
INTERRUPTED_STATUS = 128 + signal.SIGINT

#: How often it is looked whether an interrupt is still on its way.
_LOOK_SECONDS = 0.1


@contextmanager
def interruptible() -> Iterator[None]:
    """End the process with one line on standard error and :data:`INTERRUPTED_STATUS` when Ctrl-C comes.

    What is inside is unwound first, so that it can say how to go on; it may catch ``KeyboardInterrupt``, but has to
    raise it again. A second Ctrl-C does not wait for that. Where interrupts are ignored, as behind ``nohup``, they
    still are.

    Raises:
        SystemExit: in place of ``KeyboardInterrupt``, and of what a library has made of it.
    """
    interrupts = _Interrupts()
    with interrupts.listening():
        try:
            yield
        except BaseException as error:
            told = isinstance(error, SystemExit) and error.code == INTERRUPTED_STATUS  # by a command inside
            if told or not (interrupts.came or isinstance(error, KeyboardInterrupt)):
                raise
            sys.stdout.flush()
            # Behind the ^C that a terminal shows.
            sys.stderr.write(f"{chr(10) if sys.stderr.isatty() else ''}interrupted\n")
            raise SystemExit(INTERRUPTED_STATUS) from None


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Let an interrupt wait for the end of the block, as what is broken off half written is written again later.

    A second one does not wait. Nothing changes outside :func:`interruptible`, and in other threads than the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _waiting.blocks += 1
    try:
        yield
    finally:
        _waiting.blocks -= 1
        if _waiting.came and not _waiting.blocks:
            _waiting.came = False
            signal.raise_signal(signal.SIGINT)


class _Waiting:
    """An interrupt that waits, and the blocks of the main thread that it waits for."""

    def __init__(self) -> None:
        self.blocks = 0
        self.came = False


_waiting = _Waiting()


class _Interrupts:
    """Takes care that an interrupt arrives.

    Libraries make other errors of it while they are imported, and catch those; Python drops what is raised in the end
    of an object.
    """

    def __init__(self) -> None:
        self.came = False
        self._ended = threading.Event()
        self._main = threading.get_ident()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the interrupts of this process until the end."""
        ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        told = sys.unraisablehook
        if ours:
            signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = lambda problem: None if problem.exc_type is KeyboardInterrupt else told(problem)
        try:
            yield
        finally:
            self._ended.set()
            if ours:
                sys.unraisablehook = told
                # While Python ends, an interrupt has nothing left to unwind.
                signal.signal(signal.SIGINT, signal.SIG_DFL if self.came else signal.default_int_handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.came or _waiting.came:
            os._exit(INTERRUPTED_STATUS)
        if _waiting.blocks:
            _waiting.came = True
            return
        self.came = True
        threading.Thread(target=self._see_it_arrive, daemon=True).start()
        raise KeyboardInterrupt

    def _see_it_arrive(self) -> None:
        """Interrupt again if nothing in the main thread is about an interrupt any more."""
        while not self._ended.wait(_LOOK_SECONDS):
            if not _is_about_interrupt(sys._current_exceptions().get(self._main)):
                self.came = False
                signal.pthread_kill(self._main, signal.SIGINT)
                return


def _is_about_interrupt(handled: Any) -> bool:
    """Whether what a thread is handling is an interrupt, or was raised because of one.

    Args:
        handled: the exception; in a tuple until Python 3.11.
    """
    error: BaseException | None = handled[1] if isinstance(handled, tuple) else handled
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__context__
    return False
