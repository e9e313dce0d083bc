"""What the service answers while something that it depends on is away, slow or wrong, and after that.

::

    python benchmarks/fault_matrix.py --bundle bundles/demo --interactions 10000 \
        --output benchmarks/results/fault_matrix.md

A service in processes of its own, with PostgreSQL, Redis and Triton behind proxies that refuse, reset, delay, cut and
swallow. The faults of the machine are a disk in memory that is full, which takes root, limits of processes, and a clock
of libfaketime (``apt-get install libfaketime``); ``--kinds`` chooses among them.
In each cell two clients ask for lists and send interactions while the fault is there and after it is gone; then every
acknowledged interaction must be in the store once. ``--interactions`` adds as many that are sent while PostgreSQL is
killed at random moments, and the service once; ``--matrix false`` has them alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from fault_cells import PATIENCE, Cell, Seen, cells, closed_cells
from fault_kills import send_while_killing
from fault_machine import bundle_cells, clock_cells, clock_environment, disk_cells, memory_cells, small_disk
from fault_servers import Api, Servers, running_servers
from fault_triton import running_triton, triton_cells, triton_settings
from results_file import write_results

from recsys.runtime.bundle import Bundle
from recsys.studies.benchmark.hardware import hardware_summary

#: Of faults: each with a service of its own.
KINDS = ("servers", "triton", "bundle", "memory", "disk", "clock")


@contextmanager
def running_api(servers: Servers, bundle: Path, workers: int, **settings: Any) -> Iterator[Api]:
    """A service that answers, and ends in the end."""
    api = Api(servers, bundle, workers, **{**PATIENCE, **settings})
    try:
        api.start()
        yield api
    finally:
        api.stop()


def matrix(servers: Servers, bundle: Path, kinds: Collection[str]) -> list[str]:
    """The table of all cells of some kinds."""
    lines = [
        "| what, how | expected during | seen during | expected after | seen after | lost | as expected |",
        "|---|---|---|---|---|---|---|",
    ]
    # From what changes most to what changes least, so that a mistake of a new cell shows at once.
    rows = {kind: list(_rows(kind, servers, bundle)) for kind in reversed(KINDS) if kind in kinds}
    return [*lines, *(line for kind in KINDS for line in rows.get(kind, []))]


def _rows(kind: str, servers: Servers, bundle: Path) -> Iterator[str]:
    """The rows of one kind of faults, each with a service that is made for it."""
    with ExitStack() as stack:

        def opened(workers: int = 1, **settings: Any) -> Api:
            return stack.enter_context(running_api(servers, bundle, workers, **settings))

        own = servers.directory / kind
        if kind == "servers":
            api = opened(spool_max_bytes=2_000_000)
            yield from (_line(cell, cell.run()) for cell in cells(servers, api))
            for told in closed_cells(api):
                print(told, file=sys.stderr)
                yield told
            return
        if kind == "triton":
            triton = stack.enter_context(running_triton(own, bundle))
            found = triton_cells(servers, opened(var=own / "var", **triton_settings(triton)), triton)
        elif kind == "disk":
            found = disk_cells(servers, opened(var=stack.enter_context(small_disk(own / "var"))))
        elif kind == "clock":
            own.mkdir()
            offset = own / "offset"
            api = opened(var=own / "var", variables=clock_environment(offset))
            found = clock_cells(servers, api, offset)
        elif kind == "memory":
            found = memory_cells(servers, opened(2, var=own / "var"))
        else:
            found = bundle_cells(servers, opened(var=own / "var"))
        yield from (_line(cell, cell.run()) for cell in found)


def _line(cell: Cell, seen: Seen) -> str:
    cols = [cell.name, cell.expected_during, seen.during, cell.expected_after, seen.after, str(seen.lost)]
    line = f"| {' | '.join([*cols, 'yes' if seen.is_right else '**no**'])} |"
    print(line, file=sys.stderr)
    return line


def _about(arguments: argparse.Namespace) -> list[str]:
    command = "python benchmarks/fault_matrix.py"
    if arguments.interactions:
        command += f" --interactions {arguments.interactions}"
    waits, (load, _, _) = PATIENCE["store_timeout_seconds"], os.getloadavg()
    return [
        f"`{command} --output benchmarks/results/fault_matrix.md`, {hardware_summary()}, load {load:.0f}.",
        "",
        "A load above the number of cores means that the machine was busy with other things as well. So that this is "
        f"no fault, a list may wait {waits} s for the store and for Triton here, where 0.2 and 0.25 s are usual.",
        "",
        "*200 without store*: a list with status 200 whose `degraded` names the store. In brackets: how many answers. "
        "*Lost*: acknowledged interactions that are not in the store once, when it is back.",
        "",
        "The full disk is one of 64 MB in memory, with all files of the service. That no file can be written is a "
        "limit (`RLIMIT_FSIZE`) of its processes, which also counts for files that are open. The clock that jumps is "
        "that of the service alone, by libfaketime; the cursor of a page from before the jump has to lead to the next "
        "one after it. Where Triton or its model is killed, its supervisor sleeps until the fault is to end, because "
        "it would start it again at once.",
    ]


def main() -> int:
    """Measure and write; the status is 1 where something was not as expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("bundles/demo"))
    parser.add_argument("--interactions", type=int, default=0, help="that are sent while servers are killed")
    parser.add_argument("--matrix", choices=["true", "false"], default="true")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = ["# The service while something is away", "", *_about(arguments), ""]
    is_right = True
    with tempfile.TemporaryDirectory() as directory, running_servers(Path(directory)) as servers:
        if arguments.matrix == "true":
            table = matrix(servers, arguments.bundle, arguments.kinds)
            is_right = not any("**no**" in line for line in table)
            lines += [*table, ""]
        if arguments.interactions:
            items = Bundle.open(arguments.bundle).item_vocabulary.ids.to_pylist()
            with running_api(servers, arguments.bundle, workers=2, var=Path(directory) / "kills") as api:
                outcome = send_while_killing(servers, api, items, arguments.interactions, arguments.seed)
            is_right &= outcome.is_right
            lines += ["## Interactions while PostgreSQL is killed at random moments, and the service once", ""]
            lines += [*outcome.lines(), ""]
    text = "\n".join(lines)
    print(text)
    write_results(text, arguments.output)
    return int(not is_right)


if __name__ == "__main__":
    sys.exit(main())
