"""Whether all ways give the same recommendations: PyTorch, the bundle in process, Triton by HTTP and by gRPC.

::

    python benchmarks/serving_parity.py --run runs/DIR --bundle bundles/NAME --grpc HOST:PORT --http HOST:PORT

``--run`` and ``--ranker`` are the runs that the bundle was made of; a server is asked where its addresses are given.
Lists are the same where they have the same items in the same order; where two items have scores that differ by no more
than rounding, either order counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from recsys.recommendation.new_user import min_rating_of_history
from recsys_serving.triton.client import TritonRecommender
from results_file import write_results

from recsys.recommendation.model_stages import ModelRanker, ScoreRetriever
from recsys.recommendation.request_batches import request_of_user
from recsys.retrieval.pipeline import Pipeline
from recsys.runs.trained_run import open_run
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest

#: Scores that differ by this share of the largest in the list are equal but for rounding.
ROUNDING = 1e-4

Lists = tuple[list[str], list[float]]


def in_pytorch(
    run_directory: Path, ranker_directory: Path | None, num_candidates: int, max_history: int | None, k: int
) -> Callable[[str], Lists]:
    """The list that the models make in PyTorch from as much of the history as the bundle gives them."""
    run = open_run(run_directory)
    ranker = None if ranker_directory is None else ModelRanker(open_run(ranker_directory).model)
    prepared, floor = run.prepared, min_rating_of_history(run.model, run.prepared)
    pipeline = Pipeline(
        ScoreRetriever(run.model, prepared.schema.num_items),
        num_candidates=1 if ranker is None else num_candidates,
        ranker=ranker,
    )

    def answer(user: str) -> Lists:
        request = request_of_user(prepared.user_vocabulary.index(user), prepared, floor).latest(max_history)
        lists = pipeline.recommend_one(request, k)
        kept = lists.items[0] >= 0
        return prepared.item_vocabulary.ids_of(lists.items[0][kept]).to_pylist(), lists.scores[0][kept].tolist()

    return answer


def same(expected: Lists, found: list[str]) -> bool:
    """Whether two lists are the same but for the order of equal scores."""
    ids, scores = expected
    if len(ids) != len(found):
        return False
    slack = ROUNDING * max(map(abs, scores), default=0)
    own = dict(zip(ids, scores, strict=True))
    # An item that is not in the other list can only have come in at the end, for one with an equal score.
    return all(abs(own.get(item, scores[-1]) - score) <= slack for item, score in zip(found, scores, strict=True))


def main() -> None:
    """Compare, print, and write where ``--output`` says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--ranker", type=Path)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--grpc")
    parser.add_argument("--http")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()

    bundle = Bundle.open(arguments.bundle)
    recommender = BundleRecommender(bundle)
    asked = {
        "bundle in process": lambda user: (
            recommender.recommend_one(RecommendationRequest(user_id=user, k=arguments.k)).item_ids
        )
    }
    clients = []
    for protocol, url in (("grpc", arguments.grpc), ("http", arguments.http)):
        if url is not None:
            client = TritonRecommender(url, protocol)
            clients.append(client)
            asked[f"Triton, {protocol}"] = lambda user, client=client: (
                client.recommend_one(RecommendationRequest(user_id=user, k=arguments.k)).item_ids
            )
    users = bundle.user_vocabulary.ids.to_pylist()
    chosen = np.random.default_rng(0).choice(users, size=min(arguments.users, len(users)), replace=False)
    manifest = bundle.manifest
    reference = in_pytorch(arguments.run, arguments.ranker, manifest.num_candidates, manifest.max_history, arguments.k)
    expected = {str(user): reference(str(user)) for user in chosen}
    lines = []
    for name, answer in asked.items():
        found = {user: answer(user) for user in expected}
        identical = sum(found[user] == expected[user][0] for user in expected)
        alike = sum(same(expected[user], found[user]) for user in expected)
        lines.append(f"| {name} | {identical} | {alike} | {len(expected)} |")
        print(lines[-1], flush=True)
    for client in clients:
        client.close()
    ranked = "" if bundle.manifest.ranker is None else f", ranked by {bundle.manifest.ranker.model}"
    text = "\n".join(
        [
            "# The same lists everywhere",
            "",
            f"{bundle.manifest.retriever.model}{ranked} on {bundle.manifest.data.name}: lists of {arguments.k} that "
            "are those of PyTorch.",
            "",
            "| | identical | the same but for equal scores | users |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    )
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
