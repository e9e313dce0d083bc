"""Kills a node of a Ray cluster in the middle of preparation and of batch inference, and compares what comes out.

::

    python benchmarks/ray_faults.py --output benchmarks/results/ray_faults.md

The cluster has three nodes of one processor on this machine. Raylet and workers of one of them are killed as soon as a
step has begun, and another node takes its place before the next step. Expected is what one process makes without Ray:
the same content hash, the same lists.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from results_file import write_results

import recsys
from recsys.api.list_file import write_lists
from recsys.cli.process.ray_cluster import ENVIRONMENT
from recsys.data.data_warnings import collected_warnings
from recsys.data.preparing import Preparation
from recsys.data.readers.table import TableReader

NUM_FILES = 8
_MEMORY = 512 << 20

#: A step of preparation, and the files whose appearance shows that it has begun.
STEPS = {
    "reading rows": "rows-*.arrow",
    "repeats": "item_index-*.column",
    "k-core": "pairs-*.column",
    "writing": "../interactions.parquet",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What came of killing a node."""

    what: str
    when: str
    killed: bool
    same: bool
    seconds: float


def write_ratings(directory: Path, num_rows: int) -> None:
    """Ratings in several Parquet files."""
    directory.mkdir()
    generator = np.random.default_rng(0)
    for number in range(NUM_FILES):
        size = num_rows // NUM_FILES
        table = pa.table(
            {
                "user_id": (generator.random(size) ** 2 * num_rows / 100).astype(np.int64),
                "item_id": (generator.random(size) ** 3 * num_rows / 400).astype(np.int64),
                "rating": generator.integers(1, 11, size).astype(np.float32) / 2,
                "timestamp": generator.integers(800_000_000, 1_580_000_000, size),
            }
        )
        pq.write_table(table, directory / f"part-{number}.parquet")


class Nodes:
    """The cluster, with one node to be killed."""

    def __init__(self) -> None:
        import ray
        from ray.cluster_utils import Cluster

        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        settings = {"health_check_period_ms": 1000, "health_check_failure_threshold": 5}
        head = {"num_cpus": 1, "object_store_memory": _MEMORY, "include_dashboard": False, "_system_config": settings}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._add()
        ray.init(address=self._cluster.address, logging_level=logging.ERROR, log_to_driver=False)

    def kill_when(self, has_begun: Callable[[], bool], work: Callable[[], Any]) -> tuple[Any, bool]:
        """Do some work, and kill a node as soon as it has begun; the result, and whether it was killed meanwhile."""
        node, over, killed = self._add(), threading.Event(), []

        def kill() -> None:
            while not over.is_set():
                if has_begun():
                    self._cluster.remove_node(node, allow_graceful=False)
                    killed.append(not over.is_set())
                    return
                time.sleep(0.002)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            result = work()
        finally:
            over.set()
            killer.join()
        if not killed:
            self._cluster.remove_node(node)
        return result, any(killed)

    def close(self) -> None:
        """End all nodes."""
        import ray

        ray.shutdown()
        self._cluster.shutdown()

    def _add(self) -> Any:
        return self._cluster.add_node(num_cpus=1, object_store_memory=_MEMORY)


def faults_of_preparation(nodes: Nodes, directory: Path, num_rows: int) -> list[Fault]:
    """A node killed in each step of preparation."""
    write_ratings(directory / "ratings", num_rows)

    def prepare(name: str, engine: str) -> str:
        preparation = Preparation(min_user_interactions=5, min_item_interactions=5, engine=engine)  # type: ignore[arg-type]
        with collected_warnings():
            return preparation.prepare(TableReader(directory / "ratings"), directory / name).schema.content_hash

    expected, found = prepare("memory", "memory"), []
    for number, (step, pattern) in enumerate(STEPS.items()):
        scratch = directory / f".ray-{number}.partial" / "scratch"
        began = time.perf_counter()
        has_begun = lambda scratch=scratch, pattern=pattern: any(scratch.glob(pattern))  # noqa: E731
        hash_, killed = nodes.kill_when(has_begun, lambda number=number: prepare(f"ray-{number}", "ray"))
        same = hash_ == expected
        found.append(Fault(f"preparation of {num_rows:,} rows", step, killed, same, time.perf_counter() - began))
    return found


def faults_of_lists(nodes: Nodes, directory: Path, num_users: int) -> list[Fault]:
    """A node killed after a third of the lists."""
    generator = np.random.default_rng(0)
    size = num_users * 20
    rows = pd.DataFrame(
        {"user_id": generator.integers(0, num_users, size), "item_id": generator.integers(0, 2000, size)}
    )
    split = recsys.Dataset.from_pandas(rows, name="made").split("leave_random_out")
    with collected_warnings():
        bundle = recsys.load_bundle(recsys.EASE(l2=10.0).fit(split.train).export(directory / "bundle"))
    write_lists(bundle, directory / "here", k=10, part_size=256)
    wanted = num_users // 256 // 3
    began = time.perf_counter()
    _, killed = nodes.kill_when(
        lambda: len(list((directory / "there").glob("part-*.parquet"))) >= wanted,
        lambda: write_lists(bundle, directory / "there", k=10, part_size=256, engine="ray"),
    )
    same = pq.read_table(directory / "there").equals(pq.read_table(directory / "here"))
    return [Fault(f"lists of {num_users:,} users", "a third written", killed, same, time.perf_counter() - began)]


def _word(holds: bool) -> str:
    return "yes" if holds else "**no**"


def main() -> None:
    """Kill nodes, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    nodes = Nodes()
    try:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            faults = faults_of_preparation(nodes, directory, arguments.rows)
            faults += faults_of_lists(nodes, directory, arguments.users)
    finally:
        nodes.close()
    lines = [
        "# A node of a Ray cluster is killed",
        "",
        f"`python benchmarks/ray_faults.py --rows {arguments.rows} --users {arguments.users} --output "
        "benchmarks/results/ray_faults.md`: three nodes of one processor each on one machine, of which one is killed "
        "in the middle. *Same*: the content hash of the prepared directory, or the lists in their order, are those "
        f"that one process makes without Ray. {os.cpu_count()} CPU cores, shared with other work; the start of a node "
        "is counted in.",
        "",
        "| what | a node is killed | killed in time | same | seconds |",
        "|---|---|---|---|---|",
        *(
            f"| {one.what} | {one.when} | {_word(one.killed)} | {_word(one.same)} | {one.seconds:.0f} |"
            for one in faults
        ),
    ]
    print("\n".join(lines))
    write_results("\n".join(lines) + "\n", arguments.output)
    if not all(one.same for one in faults):
        raise SystemExit("What came out differs.")


if __name__ == "__main__":
    main()
