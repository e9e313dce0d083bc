"""Candidate indexes beside hnswlib and usearch: recall, time of a query, build time and memory, in one run.

::

    pip install hnswlib usearch
    python benchmarks/index_speed.py --sizes 10000 1000000 10000000 --output benchmarks/results/index_speed.md
    python benchmarks/index_speed.py --limit     # the catalogue from which an index is faster than exact search

Each size is a process of its own. Exact search gives the truth; ``choose_index`` chooses the index and its breadth by
256 queries, and the ``ef`` of the other two is chosen by the same queries, for the same recall, by the same rule. What
is printed is measured with other 256 queries. The other two are at their defaults and search by Euclidean distance in
one dimension more, which makes all items equally long and has the same order (Bachrach et al., 2014): by inner product
they do not come to this recall on vectors of such different lengths. They are built up to ``--peer-limit`` items alone,
since that takes them minutes for a million on two cores.

The vectors are made so that they look like a recommender's. An item lies around one of ``sqrt(I)`` tastes, whose sizes
are lognormal and which lie around 30 broad ones; the variance falls with the dimension like its inverse. Popularity is
exponential on a logarithmic scale; the length of a vector grows with it, and it is the last dimension, as a bias that
is folded in. A query is a user who has 5 to 40 items of 1 to 4 tastes: their mean direction, with some noise, and 1 in
the last dimension. So queries do not lie where items do, and popular items are often among the best.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from results_file import write_results

from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import ExactIndex, UpdatableIndex
from recsys.retrieval.index_selection import choose_index, recall_of
from recsys.retrieval.search_latency import measure_latency_ms

NUM_QUERIES = 256
TARGET, AT = 0.99, 100
MAX_BREADTH = 16_384
BLOCK = 250_000
SECONDS = 6.0
LIMIT_SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


def made(num_items: int, dim: int, num_queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of items and queries, as the module says."""
    rng = np.random.default_rng(0)
    content = dim - 1
    spread = (1 + np.arange(content, dtype=np.float32)) ** -0.5
    broad = rng.standard_normal((30, content), dtype=np.float32) * spread
    num_tastes = max(30, int(num_items**0.5))
    noise = rng.standard_normal((num_tastes, content), dtype=np.float32) * spread
    tastes = broad[rng.integers(0, 30, num_tastes)] + 0.7 * noise
    sizes = rng.lognormal(0, 1, num_tastes)
    taste = rng.choice(num_tastes, num_items, p=sizes / sizes.sum())
    popularity = rng.standard_exponential(num_items, dtype=np.float32)
    lengths = (0.6 + 0.25 * popularity) * rng.lognormal(0, 0.15, num_items).astype(np.float32)
    items = np.empty((num_items, dim), dtype=np.float32)
    for start in range(0, num_items, BLOCK):
        block = slice(start, min(num_items, start + BLOCK))
        noise = rng.standard_normal((len(taste[block]), content), dtype=np.float32) * spread
        around = tastes[taste[block]] + 0.5 * noise
        around *= (lengths[block] / np.linalg.norm(around, axis=1))[:, None]
        items[block, :content] = around
        items[block, content] = 0.1 * popularity[block]
    order = np.argsort(taste, kind="stable")
    starts = np.searchsorted(taste[order], np.arange(num_tastes + 1))
    queries = np.ones((num_queries, dim), dtype=np.float32)
    for query in queries:
        liked = taste[rng.integers(0, num_items, rng.integers(1, 5))]
        of = rng.choice(liked, rng.integers(5, 41))
        history = items[order[rng.integers(starts[of], starts[of + 1])], :content]
        mean = (history / np.linalg.norm(history, axis=1, keepdims=True)).mean(axis=0)
        mean += 0.02 * rng.standard_normal(content, dtype=np.float32)
        query[:content] = 2 * mean / np.linalg.norm(mean)
    return items, queries


def resident_gib() -> float:
    """Resident memory of this process, GiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def hnswlib_peer(vectors: np.ndarray, threads: int) -> tuple[Callable[[int], None], Callable[..., np.ndarray]]:
    """Index with hnswlib at its defaults (M 16, ef_construction 200): how to set its breadth, and its search."""
    try:
        import hnswlib
    except ImportError:
        raise SystemExit("hnswlib is required to compare with it: pip install hnswlib; or --peer-limit 0.") from None
    index = hnswlib.Index("l2", vectors.shape[1])
    index.init_index(len(vectors), ef_construction=200, M=16)
    index.set_num_threads(threads)
    index.add_items(vectors, num_threads=threads)
    return index.set_ef, lambda queries: index.knn_query(queries, AT)[0].astype(np.int64)


def usearch_peer(vectors: np.ndarray, threads: int) -> tuple[Callable[[int], None], Callable[..., np.ndarray]]:
    """Index with usearch at its defaults (connectivity 16, expansion_add 128), in float32: as above."""
    try:
        from usearch.index import Index
    except ImportError:
        raise SystemExit("usearch is required to compare with it: pip install usearch; or --peer-limit 0.") from None
    index = Index(ndim=vectors.shape[1], metric="l2sq", dtype="f32")
    index.add(np.arange(len(vectors)), vectors, threads=threads)

    def broaden(search_effort: int) -> None:
        index.expansion_search = search_effort

    def search(queries: np.ndarray) -> np.ndarray:
        return np.asarray(index.search(queries, AT, threads=threads).keys).astype(np.int64).reshape(len(queries), -1)

    return broaden, search


def equally_long(vectors: np.ndarray) -> np.ndarray:
    """Vectors with one dimension more, in which nearness is the inner product with a query that has 0 there."""
    squares = np.einsum("id,id->i", vectors, vectors)
    return np.concatenate([vectors, np.sqrt(squares.max() - squares)[:, None]], axis=1)


def updates(index: UpdatableIndex, vectors: np.ndarray, num_items: int = 1000, repeats: int = 5) -> tuple[float, float]:
    """Milliseconds to remove ``num_items`` and to add them again under new indices, of each the fewest of some."""
    removing, adding = [], []
    for start in range(0, repeats * num_items, num_items):
        items = np.arange(start, start + num_items)
        begun = time.perf_counter()
        index.remove(items)
        removed = time.perf_counter()
        index.add(np.arange(index.num_items, index.num_items + num_items), vectors[items])
        adding.append(time.perf_counter() - removed)
        removing.append(removed - begun)
    return 1000 * min(removing), 1000 * min(adding)


def measure(num_items: int, dim: int, threads: int, peers: bool) -> list[dict[str, Any]]:
    """All contestants at one size."""
    vectors, queries = made(num_items, dim, 2 * NUM_QUERIES)
    tuning, testing = queries[:NUM_QUERIES], queries[NUM_QUERIES:]
    exact = ExactIndex(vectors)
    truth, tuning_truth = exact.search(testing, AT), exact.search(tuning, AT) if peers else None

    def row(name: str, search: Callable[[np.ndarray], np.ndarray], build: float, memory: float) -> dict[str, Any]:
        recall = recall_of(search(testing), truth, testing, exact)
        return {
            "name": name,
            "recall": float(recall.mean()),
            "single": measure_latency_ms(search, testing, 1, SECONDS),
            "batch": measure_latency_ms(search, testing, 64, SECONDS),
            "build": build,
            "memory": memory,
        }

    rows = [row("exact", lambda asked: exact.search(asked, AT).items, 0.0, vectors.nbytes / 2**30)]
    before = resident_gib()
    started = time.perf_counter()
    chosen = choose_index(vectors, TARGET, AT, sample_queries=tuning)
    choosing = time.perf_counter() - started
    index = chosen.index
    if isinstance(index, FaissIndex) and chosen.measured is not None:
        name = f"recsys chooses {chosen.measured.factory}, {index.search_effort_name} {index.search_effort}"
        memory = resident_gib() - before
        rows.append(row(name, lambda asked: index.search(asked, AT).items, chosen.measured.build_seconds, memory))
        rows[-1]["choosing"] = choosing
        deep = exact.search(testing[:64], 1000)
        found = index.search(testing[:64], 1000).items
        rows[-1]["deep"] = float(recall_of(found, deep, testing[:64], exact).mean())
        rows[-1]["remove"], rows[-1]["add"] = updates(index, vectors)
    else:
        rows.append({"name": f"recsys chooses exact search: {chosen.reason}"})
    for name, peer in (("hnswlib", hnswlib_peer), ("usearch", usearch_peer)) if peers else ():
        longer, padded = equally_long(vectors), np.pad(queries, ((0, 0), (0, 1)))
        before, started = resident_gib(), time.perf_counter()
        broaden, search = peer(longer, threads)
        build, memory, search_effort = time.perf_counter() - started, resident_gib() - before, AT
        while True:
            broaden(search_effort)
            recall = recall_of(search(padded[:NUM_QUERIES]), tuning_truth, tuning, exact)
            if recall.mean() - recall.std(ddof=1) / np.sqrt(len(recall)) >= TARGET or search_effort >= MAX_BREADTH:
                break
            search_effort = min(MAX_BREADTH, int(1.25 * search_effort))

        def widened(asked: np.ndarray, search: Callable[[np.ndarray], np.ndarray] = search) -> np.ndarray:
            return search(np.pad(asked, ((0, 0), (0, 1))))

        rows.append(row(f"{name}, ef {search_effort}", widened, build, memory))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        del broaden, search, widened, longer
    rows[0]["remove"], rows[0]["add"] = updates(exact, vectors)
    return rows


def limit(dim: int) -> list[str]:
    """Where an index begins to be faster than exact search."""
    lines = ["| items | exact, ms | index, ms | recall | index |", "|---:|---:|---:|---:|---|"]
    for num_items in LIMIT_SIZES:
        vectors, queries = made(num_items, dim, NUM_QUERIES)
        chosen = choose_index(vectors, TARGET, AT, queries, exact_limit=0)
        tried = chosen.tried[-1]
        taken = "none" if tried.milliseconds is None else f"{tried.milliseconds:.2f}"
        lines.append(
            f"| {num_items:,} | {chosen.exact_milliseconds:.2f} | {taken} | {tried.recall:.4f} | {tried.factory}, "
            f"nprobe {tried.search_effort} |"
        )
        print(lines[-1], flush=True)
    return lines


def cell(row: dict[str, Any], name: str, digits: int) -> str:
    """A number of a table, where it was measured."""
    return f"{row[name]:,.{digits}f}" if name in row else ""


def main() -> None:
    """Measure every size and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--peer-limit", type=int, default=2_000_000, help="the largest size for hnswlib and usearch")
    parser.add_argument("--limit", action="store_true", help="measure small sizes for the limit of exact search alone")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # one size, as JSON
    arguments = parser.parse_args()
    if arguments.one:
        (size,) = arguments.sizes
        print(json.dumps(measure(size, arguments.dim, arguments.threads, size <= arguments.peer_limit)))
        return
    lines = [
        f"{arguments.dim} dimensions; {arguments.threads} threads of an {platform.machine()} machine, Python "
        f"{platform.python_version()}, NumPy {np.__version__}. Recall of the best {AT}; milliseconds for a query, "
        "alone and in batches of 64, of each the fewest of five and of these the median; seconds to build; GiB of "
        "memory; milliseconds to remove and to add 1,000 items, the fewest of five.",
        "",
    ]
    if arguments.limit:
        lines += limit(arguments.dim)
    for size in () if arguments.limit else arguments.sizes:
        command = [sys.executable, __file__, "--one", "--sizes", str(size), "--dim", str(arguments.dim)]
        command += ["--threads", str(arguments.threads), "--peer-limit", str(arguments.peer_limit)]
        threads = {name: str(arguments.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads})
        if process.returncode != 0:
            raise SystemExit(f"{size} items failed.")
        rows = json.loads(process.stdout.strip().splitlines()[-1])
        table = [
            f"| {size:,} items | Recall@{AT} | alone, ms | exact / this | in batches, ms | exact / this | build, s "
            "| memory | remove, ms | add, ms |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for row in rows:
            ratios = [rows[0][name] / row[name] if name in row else None for name in ("single", "batch")]
            alone, batches = ("" if ratio is None else f"{ratio:.1f}" for ratio in ratios)
            cells = [row["name"], cell(row, "recall", 4), cell(row, "single", 3), alone, cell(row, "batch", 3), batches]
            cells += [
                cell(row, name, digits) for name, digits in (("build", 1), ("memory", 3), ("remove", 1), ("add", 1))
            ]
            table.append(f"| {' | '.join(cells)} |")
        notes = [
            f"Choosing took {row['choosing']:.0f} s with the building. Of the best 1,000 it finds {row['deep']:.4f}."
            for row in rows
            if "deep" in row
        ]
        print("\n".join([*table, "", *notes]), flush=True)
        lines += [*table, "", *notes, ""]
    text = "\n".join([*lines, ""])
    if arguments.limit:
        print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
