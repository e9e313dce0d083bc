"""What it takes to know the users of a bundle: memory and start-up of a dictionary of their ids, and of mapped arrays.

::

    python benchmarks/id_lookup.py --output benchmarks/results/id_lookup.md

The dictionary is made of the vocabulary's Parquet file, the arrays are the file beside it in a bundle. Each way is a
process of its own, the best of some.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from results_file import write_results

from recsys.data.columns import USER_ID
from recsys.data.id_index import IdIndex
from recsys.data.vocabulary import Vocabulary

WAYS = ("dictionary", "mapped arrays")
REPEATS = 5
LOOKUPS = 100_000
#: Ids that are looked up at once, as those of a long history.
TOGETHER = 200


def user_ids(count: int) -> list[str]:
    """Ids of twelve characters, in Unicode order."""
    drawn = random.Random(0).sample(range(10**11), count)
    return sorted(f"u{number:011}" for number in drawn)


def memory() -> dict[str, int]:
    """Bytes of this process's own pages, and of those that are of mapped files."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return {name: int(lines[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile")}


def measure(directory: Path, way: str) -> dict[str, Any]:
    """Memory and processor seconds of being ready, and nanoseconds of a look-up."""
    asked = (directory / "asked").read_text().splitlines()
    Vocabulary.load(directory / "few.parquet", USER_ID).ids.to_pylist()  # what is loaded once counts for neither way
    IdIndex.map(directory / "few.arrow").indices_of(asked[:TOGETHER])
    before, began = memory(), time.process_time()
    if way == WAYS[0]:
        table = {name: place for place, name in enumerate(_vocabulary(directory))}
        find, find_all = (
            lambda name: table.get(name, -1),
            lambda names: np.fromiter((table.get(name, -1) for name in names), np.int64, len(names)),
        )
    else:
        index = IdIndex.map(directory / "ids.arrow")
        find, find_all = index.index_of, index.indices_of
    seconds, after = time.process_time() - began, memory()
    began = time.process_time()
    found = [find(name) for name in asked]
    alone = time.process_time() - began
    parts = [asked[start : start + TOGETHER] for start in range(0, len(asked), TOGETHER)]
    began = time.process_time()
    again = np.concatenate([find_all(part) for part in parts])
    together = time.process_time() - began
    assert again.tolist() == found
    return {
        "own": after["RssAnon"] - before["RssAnon"],
        "mapped": after["RssFile"] - before["RssFile"],
        "seconds": seconds,
        "alone_ns": alone / len(asked) * 1e9,
        "together_ns": together / len(asked) * 1e9,
        "sum": sum(found),
    }


def _vocabulary(directory: Path) -> list[str]:
    names: list[str] = Vocabulary.load(directory / "ids.parquet", USER_ID).ids.to_pylist()
    return names


def measured_apart(directory: Path, way: str) -> dict[str, Any]:
    """The best of :data:`REPEATS` processes, figure by figure."""
    runs = []
    for _ in range(REPEATS):
        command = [sys.executable, __file__, "--measure", str(directory), way]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{way} failed:\n{done.stderr[-3000:]}")
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: min(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Make the ids, measure both ways, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        directory, way = arguments.measure
        print(json.dumps(measure(Path(directory), way)))
        return
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        names = user_ids(arguments.users)
        for file, some in (("ids", names), ("few", names[:10])):
            ids = pa.array(some)
            Vocabulary(ids, USER_ID).save(directory / f"{file}.parquet")
            IdIndex.of(ids).save(directory / f"{file}.arrow")
        asked = random.Random(1).choices(names, k=LOOKUPS * 9 // 10) + user_ids(LOOKUPS // 10)
        random.Random(2).shuffle(asked)
        (directory / "asked").write_text("\n".join(asked))
        found = {way: measured_apart(directory, way) for way in WAYS}
    if len({one["sum"] for one in found.values()}) > 1:
        raise SystemExit("The two ways gave different answers.")
    lines = [
        "# Ids of a bundle's users",
        "",
        f"`python benchmarks/id_lookup.py{f' --users {arguments.users}' if arguments.users != 1_000_000 else ''} "
        f"--output benchmarks/results/id_lookup.md`: {arguments.users:,} users with ids of {len(names[0])} characters. "
        f"Times are the processor's, the best of {REPEATS} processes; both ways answer the same.",
        "",
        "| | own bytes a user | mapped bytes a user | ready after | one look-up | one of "
        f"{TOGETHER} looked up together |",
        "|---|---|---|---|---|---|",
        *(
            f"| {way} | {one['own'] / arguments.users:.1f} | {one['mapped'] / arguments.users:.1f} | "
            f"{one['seconds'] * 1e3:.0f} ms | {one['alone_ns'] / 1e3:.2f} µs | {one['together_ns'] / 1e3:.2f} µs |"
            for way, one in found.items()
        ),
        "",
        "Mapped bytes belong to the page cache: all processes of a machine share them, and it takes them back when "
        "memory runs short.",
        "",
    ]
    print("\n".join(lines))
    write_results("\n".join(lines), arguments.output)


if __name__ == "__main__":
    main()
