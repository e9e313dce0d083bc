"""How fast a bundle answers, in this process and on Triton: latency and throughput by clients; and its parts alone.

::

    python benchmarks/serving_speed.py --bundle bundles/NAME --output benchmarks/results/serving_speed.md

``--grpc HOST:PORT`` asks a Triton server with the same bundle as well, on the same machine. Clients are threads of one
process that ask for one known user after the other without a pause. The parts are the ONNX models and the
index, called with inputs that are made already, in turn with whole requests so that both see the same machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from recsys_serving.triton.client import TritonRecommender
from results_file import write_results

from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.onnx_inputs import NEW_ITEMS, no_new_items, query_inputs, ranker_feeds
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, UserTables, batch_of
from recsys.studies.benchmark.hardware import hardware_summary

COLD_START = """
import sys, time
started = time.perf_counter()
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
imported = time.perf_counter()
recommender = BundleRecommender(Bundle.open(sys.argv[1]))
recommender.recommend_one(RecommendationRequest())
print(imported - started, time.perf_counter() - imported)
"""


def load(
    answer: Callable[[str], object], users: list[str], num_clients: int, seconds: float
) -> tuple[list[float], float]:
    """Ask from ``num_clients`` threads for some seconds; the latency of each request, and requests a second."""
    latencies: list[list[float]] = [[] for _ in range(num_clients)]
    start = threading.Barrier(num_clients + 1)

    def client(number: int) -> None:
        own = np.random.default_rng(number).permutation(users)
        start.wait()
        end, turn = time.perf_counter() + seconds, 0
        while (begun := time.perf_counter()) < end:
            answer(str(own[turn % len(own)]))
            latencies[number].append(time.perf_counter() - begun)
            turn += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(num_clients)]
    for thread in threads:
        thread.start()
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    together = [latency for own in latencies for latency in own]
    return together, len(together) / (time.perf_counter() - begun)


def beside_parts(recommender: BundleRecommender, users: list[str], num_requests: int) -> dict[str, list[float]]:
    """Seconds of whole requests and of their parts alone, each user once both ways."""
    bundle = recommender.bundle
    manifest = bundle.manifest
    resolver = RequestResolver(
        UserTables(
            manifest.data,
            bundle.user_ids,
            bundle.item_ids,
            bundle.histories,
            bundle.user_features,
            manifest.max_history,
        )
    )
    encoder, index = bundle.query_encoder(), bundle.index()
    ranker = bundle.ranker() if bundle.has_ranker else None
    taken: dict[str, list[float]] = {"whole": [], "encoder": [], "index": [], "ranker": []}

    def timed(name: str, work: Callable[[], object]) -> object:
        begun = time.perf_counter()
        result = work()
        taken[name].append(time.perf_counter() - begun)
        return result

    for user in users[:num_requests]:
        timed("whole", lambda user=user: recommender.recommend_one(RecommendationRequest(user_id=user)))
        requests = batch_of([resolver.resolve(RecommendationRequest(user_id=user))])
        onnx_inputs = query_inputs(requests)
        query = timed("encoder", lambda onnx_inputs=onnx_inputs: encoder.run(onnx_inputs))
        depth = min(manifest.num_candidates + int(requests.num_excluded.max(initial=0)), manifest.data.num_items)
        found = timed("index", lambda query=query, depth=depth: index.search(query, depth))
        if ranker is not None:
            ranked = ranker_feeds(onnx_inputs, found.items[:, : manifest.num_candidates])
            if bundle.ranker_item_width is not None:
                ranked[NEW_ITEMS] = no_new_items(bundle.ranker_item_width)
            timed("ranker", lambda ranked=ranked: ranker.run(ranked))
    return taken


def milliseconds(values: list[float], percentile: float) -> float:
    """A percentile of seconds, as milliseconds."""
    return float(np.percentile(values, percentile)) * 1e3


def main() -> None:
    """Measure, print, and write where ``--output`` says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--grpc", help="address of a Triton server with the same bundle")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()

    starts = [
        [
            float(part)
            for part in subprocess.run(
                [sys.executable, "-c", COLD_START, str(arguments.bundle)], check=True, capture_output=True, text=True
            ).stdout.split()
        ]
        for _ in range(3)
    ]
    bundle = Bundle.open(arguments.bundle)
    recommender = BundleRecommender(bundle)
    recommender.warm_up()
    manifest = bundle.manifest
    users = bundle.user_vocabulary.ids.to_pylist()
    users = [str(user) for user in np.random.default_rng(0).permutation(users)]

    ways: dict[str, Callable[[str], object]] = {
        "in process": lambda user: recommender.recommend_one(RecommendationRequest(user_id=user))
    }
    if arguments.grpc is not None:
        triton = TritonRecommender(arguments.grpc, "grpc")
        ways["Triton, gRPC"] = lambda user: triton.recommend_one(RecommendationRequest(user_id=user))
    lines = []
    for way, answer in ways.items():
        for num_clients in arguments.clients:
            latencies, throughput = load(answer, users, num_clients, arguments.seconds)
            p50, p99 = (milliseconds(latencies, percentile) for percentile in (50, 99))
            lines.append(f"| {way} | {num_clients} | {p50:.2f} | {p99:.2f} | {throughput:,.0f} |")
            print(lines[-1], flush=True)
    taken = beside_parts(recommender, users, 2000)
    parts = [name for name in ("encoder", "index", "ranker") if taken[name]]
    sums = [sum(values) for values in zip(*(taken[name] for name in parts), strict=True)]
    rows = [(name, taken[name]) for name in parts] + [("sum of the parts", sums), ("whole request", taken["whole"])]
    ratio = statistics.median(taken["whole"]) / statistics.median(sums)
    size = sum(file.bytes for file in manifest.files.values())
    imports, opening = (statistics.median(column) for column in zip(*starts, strict=True))
    ranked = "" if manifest.ranker is None else f", ranked by {manifest.ranker.model} from {manifest.num_candidates}"
    text = "\n".join(
        [
            "# How fast a bundle answers",
            "",
            f"{manifest.retriever.model}{ranked} on {manifest.data.name} ({manifest.data.num_users:,} users, "
            f"{manifest.data.num_items:,} items), index {manifest.index.factory or manifest.index.kind}. "
            f"{hardware_summary()}.",
            "",
            f"`python {Path(__file__).parent.name}/{Path(__file__).name} --bundle {arguments.bundle.name}`",
            "",
            "| | clients | p50, ms | p99, ms | requests a second |",
            "|---|---|---|---|---|",
            *lines,
            "",
            "In process, one client, whole requests and their parts in turn:",
            "",
            "| | p50, ms | p99, ms |",
            "|---|---|---|",
            *(f"| {name} | {milliseconds(of, 50):.2f} | {milliseconds(of, 99):.2f} |" for name, of in rows),
            "",
            f"A whole request takes {ratio:.2f} times its parts alone (medians).",
            "",
            f"The bundle takes {size / 1e6:.1f} MB on disk. A fresh process has imported what it needs after "
            f"{imports:.2f} s, and {opening:.2f} s later has checked and opened the bundle and answered once.",
            "",
        ]
    )
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
