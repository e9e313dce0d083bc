"""How long it takes to read and prepare large CSV files of ratings, in memory and in partitions, and to open them.

::

    python benchmarks/preparing_speed.py --output benchmarks/results/preparing_speed.md

``--rows 2000000 20000000`` does so for files of other sizes, whose users and items grow with them, and ``--engines
streaming`` in one way only. All ways must give the same content hash.

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
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from results_file import write_results

#: MovieLens 25M's users, items and interactions.
SIZE = (162_541, 62_423, 25_000_095)
ENGINES = ("memory", "streaming")
#: Rows that are made and written at once.
_PART = 2_500_000
_OPEN = "open"


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


def measure(path: Path, directory: Path, way: str) -> dict[str, Any]:
    """Seconds and memory of preparing ``path`` into ``directory`` by an engine, or of opening what is there."""
    from recsys.data.data_warnings import collected_warnings
    from recsys.data.preparation.engines import read_raw
    from recsys.data.preparation.writing import write_prepared
    from recsys.data.prepared import open_prepared
    from recsys.data.preparing import Preparation
    from recsys.data.readers.table import TableReader
    from recsys.data.schema import Schema

    began, processor = time.perf_counter(), time.process_time()
    if way == _OPEN:
        schema = open_prepared(directory).schema
    else:
        preparation = Preparation(min_user_interactions=5, min_item_interactions=5, engine=way)  # type: ignore[arg-type]
        directory.mkdir()
        with collected_warnings():
            raw = read_raw(TableReader(path, columns={"user": "userId", "item": "movieId"}), preparation.engine)
            write_prepared(raw, preparation, {}, directory)
        schema = Schema.load(directory / "schema.json")
    return {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "interactions": schema.num_interactions,
        "hash": schema.content_hash,
    }


def measured_apart(path: Path, directory: Path, way: str) -> dict[str, Any]:
    """What :func:`measure` finds in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(path), str(directory), way]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        raise SystemExit(f"{path} could not be prepared:\n{process.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return found


def rows_of_table(size: tuple[int, int, int], engines: list[str], directory: Path) -> list[str]:
    """The lines of the table for a file of one size, which is made for the time being."""
    path = directory / "ratings.csv"
    write_ratings(path, *size)
    found = {engine: measured_apart(path, directory / engine, engine) for engine in engines}
    found[_OPEN] = measured_apart(path, directory / engines[-1], _OPEN)
    hashes = {one["hash"] for one in found.values()}
    if len(hashes) > 1:
        raise SystemExit(f"The ways gave different data: {hashes}")
    megabytes = path.stat().st_size / 1e6
    users, items, rows = size
    what = f"{rows:,} ratings, {users:,} users, {items:,} items, {megabytes:,.0f} MB"
    words = {engine: f"prepare, `preparation.engine={engine}`" for engine in engines} | {_OPEN: "open"}
    return [
        f"| {what} | {words[way]} | {one['seconds']:.1f} | {one['processor_seconds']:.1f} | {one['gib']:.2f} |"
        for way, one in found.items()
    ]


def main() -> None:
    """Make the files, prepare them, open the results, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", help="sizes of the files; MovieLens 25M's unless given")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--directory", type=Path, help="where the files are made for the time being")
    parser.add_argument("--output", type=Path, help="a Markdown file")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        path, directory, way = arguments.measure
        print(json.dumps(measure(Path(path), Path(directory), way)))
        return
    users, items, num_rows = SIZE
    sizes = [(rows * users // num_rows, rows * items // num_rows, rows) for rows in arguments.rows or [num_rows]]
    sizes_given = f" --rows {' '.join(map(str, arguments.rows))}" if arguments.rows else ""
    lines = [
        "# Large CSV files",
        "",
        f"`python benchmarks/preparing_speed.py{sizes_given}"
        " --output benchmarks/results/preparing_speed.md`: "
        "made ratings, prepared with a k-core of 5 and 5; the content hash is the same from each way. "
        f"{os.cpu_count()} CPU cores, shared with other work: processor time varies less.",
        "",
        "| data | what | seconds | processor seconds | peak memory, GiB |",
        "|---|---|---|---|---|",
    ]
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
            lines += rows_of_table(size, arguments.engines, Path(directory))
    print("\n".join(lines))
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
