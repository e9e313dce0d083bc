"""How time and memory of preparation grow with the data: shards of made ratings in several formats, by each engine.

::

    python benchmarks/preparing_scale.py --rows 2000000 20000000 200000000 --engines streaming
    python benchmarks/preparing_scale.py --rows 20000000 --engines memory streaming ray
    python benchmarks/preparing_scale.py --rows 2000000 8000000 --engines memory streaming --format csv
    python benchmarks/preparing_scale.py --rows 2000000 8000000 --engines memory streaming --format commas
    python benchmarks/preparing_scale.py --rows 2000000 --engines memory streaming --format json

The format ``commas`` is text with semicolons between fields, decimal commas and times such as 31.12.2004 17:05:09;
``json`` is one array in one file, with times as text in ISO 8601.

Each measurement is a process of its own and one line of ``--records``, from which ``--output`` is made anew: sizes,
engines and formats may be measured one after the other. All engines must give the same content hash. Shards are made in
``--directory`` before they are measured, and are taken as they are where they are there.

Memory is the largest sum over the process and its children (with Ray, those of its cluster), looked at four times a
second: what they hold themselves (``RssAnon``), and all pages (``VmRSS`` without what is shared more than once), to
which pages of files belong that the system takes back when memory runs short.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from results_file import write_results

ENGINES = ("memory", "streaming", "ray")
FORMATS = ("parquet", "csv", "commas", "json")
#: MovieLens 25M's users, items and interactions.
SIZE = (162_541, 62_423, 25_000_095)
SHARD_ROWS = 2_500_000
COLUMNS = {"user": "userId", "item": "movieId"}
_SECONDS_BETWEEN_LOOKS = 0.25


def write_shards(directory: Path, num_rows: int, kind: str) -> None:
    """Write files of ratings whose users and items grow with their number."""
    users, items, rows = SIZE
    num_users, num_items = num_rows * users // rows, num_rows * items // rows
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for number, start in enumerate(range(0, num_rows, SHARD_ROWS)):
        size = min(SHARD_ROWS, num_rows - start)
        generator = np.random.default_rng((0, number))
        table = pa.table(
            {
                "userId": (generator.random(size) ** 2 * num_users).astype(np.int64) + 1,
                "movieId": (generator.random(size) ** 3 * num_items).astype(np.int64) + 1,
                "rating": generator.integers(1, 11, size).astype(np.float32) / 2,
                "timestamp": generator.integers(800_000_000, 1_580_000_000, size),
            }
        )
        _write(table, partial, number, kind)
    partial.rename(directory)


def _write(table: pa.Table, directory: Path, number: int, kind: str) -> None:
    name = f"part-{number:05}"
    if kind == "parquet":
        pq.write_table(table, directory / f"{name}.parquet", compression="zstd")
        return
    if kind == "csv":
        pyarrow.csv.write_csv(table, directory / f"{name}.csv")
        return
    moments = table["timestamp"].cast(pa.timestamp("s"))
    if kind == "commas":
        ratings = pc.replace_substring(table["rating"].cast(pa.string()), ".", ",")
        text = pa.table([*table.columns[:2], ratings, pc.strftime(moments, "%d.%m.%Y %H:%M:%S")], table.column_names)
        options = pyarrow.csv.WriteOptions(delimiter=";", quoting_style="none")
        pyarrow.csv.write_csv(text, directory / f"{name}.csv", options)
        return
    if number > 0:
        raise SystemExit(f"--format json is one file; make it of at most {SHARD_ROWS:,} rows, not more.")
    text = table.set_column(3, "timestamp", pc.strftime(moments, "%Y-%m-%dT%H:%M:%SZ"))
    lines = (json.dumps(row) for batch in text.to_batches(100_000) for row in batch.to_pylist())
    with (directory / f"{name}.json").open("w", encoding="utf-8") as file:
        file.write("[" + next(lines))
        file.writelines(",\n" + line for line in lines)
        file.write("]")


def prepare(shards: Path, target: Path, engine: str) -> dict[str, Any]:
    """Prepare the shards into a new directory."""
    from recsys.data.data_warnings import collected_warnings
    from recsys.data.preparing import Preparation
    from recsys.data.readers.table import TableReader

    began = time.perf_counter()
    preparation = Preparation(min_user_interactions=5, min_item_interactions=5, engine=engine)  # type: ignore[arg-type]
    with collected_warnings():
        schema = preparation.prepare(TableReader(shards, columns=COLUMNS), target).schema
    return {
        "seconds": time.perf_counter() - began,
        "kept": schema.num_interactions,
        "users": schema.num_users,
        "items": schema.num_items,
        "hash": schema.content_hash,
    }


def watched(command: list[str]) -> dict[str, Any]:
    """What a command prints last as JSON, and the processor time and memory of it and its children."""
    peaks = {"own_gib": 0.0, "all_gib": 0.0}
    seconds: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        main = psutil.Process(process.pid)
        while process.poll() is None:
            own = resident = 0
            for one in _with_children(main):
                try:
                    status = dict(
                        line.split(":", 1) for line in Path(f"/proc/{one.pid}/status").read_text().splitlines()
                    )
                    own += _kilobytes(status, "RssAnon")
                    resident += _kilobytes(status, "RssAnon") + _kilobytes(status, "RssFile")
                    times = one.cpu_times()
                    seconds[one.pid] = times.user + times.system
                except (psutil.Error, OSError):
                    continue
            peaks["own_gib"] = max(peaks["own_gib"], own / 2**20)
            peaks["all_gib"] = max(peaks["all_gib"], resident / 2**20)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        assert process.stdout is not None
        printed = process.stdout.read()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: status {process.returncode}")
    return {**json.loads(printed.strip().splitlines()[-1]), "processor_seconds": sum(seconds.values()), **peaks}


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _kilobytes(status: dict[str, str], name: str) -> int:
    return int(status.get(name, "0 kB").split()[0])


def page(records: list[dict[str, Any]]) -> str:
    """The results in Markdown."""
    lines = [
        "# How preparation grows",
        "",
        "`python benchmarks/preparing_scale.py --rows 2000000 20000000 200000000 --engines streaming`, "
        "`--rows 20000000 --engines memory streaming ray`, and `--rows 2000000 8000000 --engines memory streaming` "
        "with `--format csv`, `commas` and `json`: made ratings in files of 2.5 million rows, users "
        "and items in the proportions of MovieLens 25M, prepared with a k-core of 5 and 5. The content hash of one "
        f"size is the same from each engine. {os.cpu_count()} CPU cores, shared with other work: processor time varies "
        "less than time. *Own* is memory that processes hold themselves, *all* counts pages of files as well, which "
        "the system takes back when memory runs short; with Ray both are sums over the processes of its cluster.",
        "",
        "| files | rows | kept | users | items | engine | seconds | processor seconds | own, GiB | all, GiB | hash |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in sorted(records, key=lambda one: (FORMATS.index(one["format"]), one["rows"], one["engine"])):
        counts = " | ".join(f"{one[name]:,}" for name in ("rows", "kept", "users", "items"))
        lines.append(
            f"| {one['format']} | {counts} | `{one['engine']}` | {one['seconds']:,.0f} "
            f"| {one['processor_seconds']:,.0f} | {one['own_gib']:.2f} | {one['all_gib']:.2f} | `{one['hash'][:12]}` |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make shards, prepare them, and write the page of all records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000, 20_000_000])
    parser.add_argument("--engines", nargs="+", default=["streaming"], choices=ENGINES)
    parser.add_argument("--format", default="parquet", choices=FORMATS, help="of the shards")
    parser.add_argument("--directory", type=Path, default=Path("scratch/preparing_scale"), help="of the shards")
    parser.add_argument("--records", type=Path, default=Path("benchmarks/results/preparing_scale.jsonl"))
    parser.add_argument("--output", type=Path, help="a Markdown file")
    parser.add_argument("--write-only", action="store_true", help="make the shards and stop")
    parser.add_argument("--prepare", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare:
        shards, target, engine = arguments.prepare
        print(json.dumps(prepare(Path(shards), Path(target), engine)))
        return
    for rows in arguments.rows:
        shards = arguments.directory / f"{rows}-{arguments.format}"
        if not shards.is_dir():
            write_shards(shards, rows, arguments.format)
        for engine in [] if arguments.write_only else arguments.engines:
            target = arguments.directory / f"{shards.name}-{engine}"
            shutil.rmtree(target, ignore_errors=True)
            found = watched([sys.executable, __file__, "--prepare", str(shards), str(target), engine])
            shutil.rmtree(target)
            _keep(arguments.records, {"format": arguments.format, "rows": rows, "engine": engine, **found})
    if arguments.records.exists():
        records = _records(arguments.records)
        for rows in {one["rows"] for one in records}:
            hashes = {one["hash"] for one in records if one["rows"] == rows}
            if len(hashes) > 1:
                raise SystemExit(f"The engines gave different data of {rows:,} rows: {hashes}")
        print(page(records))
        write_results(page(records), arguments.output)


def _records(path: Path) -> list[dict[str, Any]]:
    """The last record of each format, size and engine."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return list({(one["format"], one["rows"], one["engine"]): one for one in found}.values())


def _keep(path: Path, record: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
