"""Keeps a server answering: starts it, asks it real questions, starts it again where it ends or does not answer.

The first start must succeed; a server that never was ready is not started again. Later ones are, at once the first time
and later after pauses that double, up to a minute, as long as none stays for a minute.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recsys_serving.triton.guard.gate import Gate
from recsys_serving.triton.guard.health import Health
from recsys_serving.triton.guard.plan import Plan, read_plan
from recsys_serving.triton.guard.question import Questioner, Reply
from recsys_serving.triton.guard.server_process import ServerProcess
from recsys_serving.triton.guard.stubs import StubWatch, WorkWatch

_log = logging.getLogger("supervisor")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a supervisor waits for what, in seconds.

    Args:
        look: between two looks at the processes.
        question: between two questions.
        refused: questions in a row that are refused, before the server is started again.
        late: without any answer in time and without any work, before the server is started again.
        busy: without any answer in time, though its models work.
        stays: after which a server counts as one that stays.
        longest_pause: before a start.
        stop: for requests in flight, before a server that is stopped is killed.
        broken: the same for one that does not answer.
    """

    look: float = 0.5
    question: float = 5.0
    refused: int = 3
    late: float = 60.0
    busy: float = 600.0
    stays: float = 60.0
    longest_pause: float = 60.0
    stop: float = 15.0
    broken: float = 2.0

    def pause(self, quick_ends: int) -> float:
        """Before the next start, after so many servers in a row that did not stay.

        Example:
            >>> [Patience().pause(ends) for ends in (0, 1, 2, 3, 9)]
            [0.0, 1.0, 2.0, 4.0, 60.0]
        """
        return 0.0 if quick_ends == 0 else min(self.longest_pause, 2.0 ** (quick_ends - 1))


class Supervisor:
    """See above; its working directory is the private one of the plan.

    Args:
        plan: what to start, and where to listen.
        patience: how long to wait for what.
    """

    def __init__(self, plan: Plan, patience: Patience | None = None) -> None:
        self._plan = plan
        self._patience = patience or Patience()
        self._stopped = asyncio.Event()
        self._health = Health(0, 0)

    def stop(self) -> None:
        """Let :meth:`run` end the server, and come back."""
        self._stopped.set()

    async def run(self) -> int:
        """Keep the server until it is stopped; the status of the program: 1 where it never was ready.

        Raises:
            OSError: the HTTP interface cannot listen where it is to.
        """
        async with Gate(self._plan.address, self._plan.http_port, self._plan.http_socket, lambda: self._health.answers):
            quick_ends, was_ready = 0, False
            while not self._stopped.is_set():
                began = time.monotonic()
                ready, reason = await self._one_server()
                was_ready = was_ready or ready
                if self._stopped.is_set():
                    break
                if not was_ready:
                    _log.error("The server %s.", reason)
                    return 1
                await self._pause(reason, self._patience.pause(quick_ends))
                quick_ends = 0 if time.monotonic() - began > self._patience.stays else quick_ends + 1
        return 0

    async def _pause(self, reason: str, seconds: float) -> None:
        _log.warning("The server %s. It is started again in %g seconds.", reason, seconds)
        self._note(restarts=self._health.restarts + 1, reason=reason, restarted=time.strftime("%Y-%m-%d %H:%M:%S"))
        await self._slept(seconds)

    async def _one_server(self) -> tuple[bool, str]:
        """Start a server and watch it; whether it was ready, and why it is to be started again."""
        server = ServerProcess(self._plan)
        self._note(pid=server.pid, started=server.started)
        was_stopped = False
        try:
            with Questioner(self._plan.grpc_url, Path(self._plan.repository)) as questioner:
                reason = await self._until_ready(server, questioner)
                if reason is not None:
                    return False, reason
                watch = StubWatch(server.pid, questioner.instances)
                watch.lost()  # all of them are there
                self._note(answers=True)
                return True, await self._until_broken(server, questioner, watch)
        finally:
            was_stopped = self._stopped.is_set()
            self._note(answers=False)
            await server.end(self._patience.stop if was_stopped else self._patience.broken)

    async def _until_ready(self, server: ServerProcess, questioner: Questioner) -> str | None:
        """Wait for the first answer; what went wrong where there is none."""
        end = time.monotonic() + self._plan.timeout_seconds
        said = "it is not ready"
        while time.monotonic() < end:
            if (how := server.ended()) is not None:
                return f"{how} before it was ready"
            if self._stopped.is_set():
                return "was stopped"
            if await asyncio.to_thread(questioner.is_ready):
                reply, said = await asyncio.to_thread(questioner.ask)
                if reply in (Reply.ANSWERED, Reply.NOT_LOADED):
                    return None
            await self._slept(0.1)
        return f"did not answer in {self._plan.timeout_seconds:g} seconds: {said}"

    async def _until_broken(self, server: ServerProcess, questioner: Questioner, watch: StubWatch) -> str:
        """Watch a server that answers until it does not; why."""
        asked = answered = worked = time.monotonic()
        work = WorkWatch(server.pid)
        refused = 0
        while not self._stopped.is_set():
            await self._slept(self._patience.look)
            if (how := server.ended()) is not None:
                return how
            if (model := await asyncio.to_thread(watch.lost)) is not None:
                return f"has lost a process of the model {model}"
            # One that was refused is asked again soon.
            if time.monotonic() - asked < (self._patience.question if refused == 0 else self._patience.look):
                continue
            reply, said = await asyncio.to_thread(questioner.ask)
            asked = time.monotonic()
            self._note(answers=reply is Reply.ANSWERED)
            refused = refused + 1 if reply is Reply.REFUSED else 0
            answered = answered if reply is Reply.LATE else asked
            worked = asked if work.went_on() or reply is not Reply.LATE else worked
            is_dead = asked - worked > self._patience.late or asked - answered > self._patience.busy
            if refused >= self._patience.refused or is_dead:
                return f"does not answer: {said}"
        return "was stopped"

    def _note(self, **changed: Any) -> None:
        """Write what has changed, if anything has."""
        health = replace(self._health, **changed)
        if health != self._health:
            self._health = health
            health.save(Path(self._plan.directory))

    async def _slept(self, seconds: float) -> None:
        """Sleep, or until it is stopped."""
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return


async def _main(plan: Plan) -> int:
    supervisor = Supervisor(plan)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    try:
        return await supervisor.run()
    except OSError as error:
        _log.error("failed to start HTTP service: %s", error)
        return 1


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    sys.exit(asyncio.run(_main(read_plan(Path(sys.argv[1])))))
