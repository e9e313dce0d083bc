"""How long it takes to read and prepare a large CSV file of ratings, and to open the result.

::

    python benchmarks/preparing_speed.py --output benchmarks/results/preparing_speed.md

The file is made: users and items drawn so that few have many ratings, half stars, times in whole seconds, a header.
Each measurement is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from results_file import write_results

#: MovieLens 25M's users, items and interactions.
SIZE = (162_541, 62_423, 25_000_095)
#: Rows that are made and written at once.
_PART = 2_500_000


def write_ratings(path: Path, num_users: int, num_items: int, num_rows: int) -> None:
    """Write a CSV file with the columns ``userId``, ``movieId``, ``rating`` and ``timestamp``."""
    generator = np.random.default_rng(0)
    schema = pa.schema(
        [("userId", pa.int64()), ("movieId", pa.int64()), ("rating", pa.float64()), ("timestamp", pa.int64())]
    )
    with pyarrow.csv.CSVWriter(path, schema) as writer:
        for start in range(0, num_rows, _PART):
            size = min(_PART, num_rows - start)
            columns = (
                (generator.random(size) ** 2 * num_users).astype(np.int64) + 1,
                (generator.random(size) ** 3 * num_items).astype(np.int64) + 1,
                generator.integers(1, 11, size) / 2,
                generator.integers(800_000_000, 1_580_000_000, size),
            )
            writer.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], schema=schema))


def measure(path: Path, prepared: Path) -> dict[str, float]:
    """Seconds and memory of preparing ``path`` into ``prepared``; only of opening it where it is there."""
    from recsys.data.preparing import Preparation, load_or_prepare
    from recsys.data.readers.table import TableReader

    columns = {"user": "userId", "item": "movieId"}
    began, processor = time.perf_counter(), time.process_time()
    data = load_or_prepare(prepared, TableReader(path, columns=columns), Preparation())
    seconds, processor_seconds = time.perf_counter() - began, time.process_time() - processor
    return {
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "interactions": len(data.interactions),
    }


def measured_apart(path: Path, prepared: Path) -> dict[str, float]:
    """What :func:`measure` finds in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(path), str(prepared)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        raise SystemExit(f"{path} could not be prepared:\n{process.stderr[-3000:]}")
    found: dict[str, float] = json.loads(process.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Make the file, prepare it, open the result, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=3, default=SIZE, help="users, items, rows")
    parser.add_argument("--directory", type=Path, help="where the file is made for the time being")
    parser.add_argument("--output", type=Path, help="a Markdown file")
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        path, prepared = Path(directory) / "ratings.csv", Path(directory) / "prepared"
        write_ratings(path, *arguments.size)
        megabytes = path.stat().st_size / 1e6
        found = {what: measured_apart(path, prepared) for what in ("read and prepare", "open what is prepared")}
    users, items, rows = arguments.size
    lines = [
        "# A large CSV file",
        "",
        "`python benchmarks/preparing_speed.py --output benchmarks/results/preparing_speed.md`: "
        f"{rows:,} made ratings of {users:,} users and {items:,} items, "
        f"{megabytes:,.0f} MB; {next(iter(found.values()))['interactions']:,} different pairs. {os.cpu_count()} CPU "
        "cores, shared with other work: processor time varies less.",
        "",
        "| | seconds | processor seconds | peak memory, GiB |",
        "|---|---|---|---|",
        *(
            f"| {what} | {one['seconds']:.1f} | {one['processor_seconds']:.1f} | {one['gib']:.2f} |"
            for what, one in found.items()
        ),
    ]
    print("\n".join(lines))
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
