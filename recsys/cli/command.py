"""Makes a function the body of a command.

This module imports nothing that takes time, and a script nothing but it: so a command can be interrupted, and has
chosen its threads, before libraries are loaded, and one that needs few of them begins at once.
"""

from __future__ import annotations

import atexit
import functools
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recsys.cli.process.beginning import command_begins
from recsys.cli.process.interruption import interruptible
from recsys.cli.process.streams import CLOSED_OUTPUT_STATUS, drop_output, flush_output, ready_streams
from recsys.cli.process.threads import choose_threads

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.cli.positional import Positional


def config_command(
    name: str, positional: Positional | None = None, options: Positional | None = None
) -> Callable[[Callable[[DictConfig], Any]], Callable[[], Any]]:
    """Make a function of a configuration the body of a script that reads ``configs/<name>.yaml``.

    The body gets a configuration whose settings have been checked. What is wrong with the command line is one message
    on standard error and status 2: keys of earlier versions, settings that do not exist or have a value they cannot
    have. The errors of the body that a user can mend are told in the same way. Ctrl-C is one line and status 130, a
    reader that has gone status 141.

    Args:
        name: of the configuration.
        positional: makes settings of the arguments that stand alone; None: there can be none.
        options: makes settings of options such as ``--items FILE``; None: there are none but Hydra's.
    """

    def decorate(body: Callable[[DictConfig], Any]) -> Callable[[], Any]:
        @functools.wraps(body)
        def main() -> Any:
            with command_process():
                from recsys.cli.configuration import run_command

                return run_command(name, body, positional, options)

        return main

    return decorate


@contextmanager
def command_process() -> Iterator[None]:
    """What all commands share at the edges of their process: streams, threads, interrupts.

    Raises:
        SystemExit: the command was interrupted, or nobody reads what it prints.
    """
    command_begins()
    ready_streams()
    choose_threads()
    # Looking for cycles in all that libraries have made takes a second when Python ends, and nothing is gained by it.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    with interruptible():
        try:
            yield
            flush_output()
        except BrokenPipeError:
            drop_output()
            raise SystemExit(CLOSED_OUTPUT_STATUS) from None
