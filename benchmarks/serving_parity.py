"""Whether all ways give the same recommendations: PyTorch, the bundle in process, Triton by HTTP and by gRPC.

::

    python benchmarks/serving_parity.py --run runs/DIR --bundle bundles/NAME --grpc HOST:PORT --http HOST:PORT

``--run`` and ``--ranker`` are the runs that the bundle was made of; a server is asked where its addresses are given.
Every way is asked the same requests, in several variants, and each answer is compared with that of PyTorch. Answers are
identical where items, order, notes, and the items that explain are the same; where two items have scores that differ by
no more than rounding, either order counts as the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from recsys_serving.triton.client import TritonRecommender
from results_file import write_results

from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runs.trained_run import open_run, training_of_run
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.recommendation import ItemExplanation, Recommendation, Recommender, SimilarItems, SimilarityKind
from recsys.runtime.request import RecommendationRequest

#: Numbers that differ by this share of the largest beside them are equal but for rounding.
ROUNDING = 1e-4

#: Users who are asked for at once: those who come together are answered together.
TOGETHER = 50

Compared = tuple[bool, bool]


def close(expected: Sequence[float], found: Sequence[float]) -> bool:
    """Whether numbers are equal but for rounding; infinities are equal to themselves."""
    slack = ROUNDING * max((abs(value) for value in expected if np.isfinite(value)), default=0)
    return len(expected) == len(found) and np.allclose(expected, found, rtol=0, atol=slack)


def same_order(
    ids: Sequence[str], values: Sequence[float], found: Sequence[str], found_values: Sequence[float]
) -> bool:
    """Whether two ranked lists are the same but for the order of equal values."""
    own = dict(zip(ids, values, strict=True))
    # An item that is not in the other list can only have come in at the end, for one with an equal value.
    return close(values, found_values) and close([own.get(item, values[-1]) for item in found], found_values)


def compare_lists(expected: Recommendation, found: Recommendation) -> Compared:
    """Whether two lists are identical, and whether they are the same but for rounding."""
    told = [(one.personalized, one.notes, one.unknown_items, one.unknown_values) for one in (expected, found)]
    alike = told[0] == told[1] and same_order(expected.item_ids, expected.scores, found.item_ids, found.scores)
    identical = alike and expected.item_ids == found.item_ids
    explained = compare_explanations(expected, found)
    return identical and explained[0], alike and explained[1]


def compare_explanations(expected: Recommendation, found: Recommendation) -> Compared:
    """The same for what explains the items that both lists have."""
    if expected.explanations is None or found.explanations is None:
        same = expected.explanations is found.explanations
        return same, same
    own = dict(zip(expected.item_ids, expected.explanations, strict=True))
    pairs = [
        (own[item], explanation)
        for item, explanation in zip(found.item_ids, found.explanations, strict=True)
        if item in own
    ]
    compared = [_compare_one(*pair) for pair in pairs]
    same_method = expected.explanation_method == found.explanation_method
    return same_method and all(one for one, _ in compared), same_method and all(one for _, one in compared)


def _compare_one(expected: ItemExplanation, found: ItemExplanation) -> Compared:
    ids = [[one.item_id for one in explanation.contributions] for explanation in (expected, found)]
    values = [
        [one.value if one.value is not None else 0.0 for one in explanation.contributions]
        for explanation in (expected, found)
    ]
    alike = (
        same_order(ids[0], values[0], ids[1], values[1])
        and (expected.num_older, expected.popularity) == (found.num_older, found.popularity)
        and close([*values[0], expected.older_value], [*values[1], found.older_value])
    )
    return alike and ids[0] == ids[1], alike


def compare_similar(expected: SimilarItems, found: SimilarItems) -> Compared:
    """The same for similar items."""
    alike = expected.measure == found.measure and same_order(
        expected.item_ids, expected.similarities, found.item_ids, found.similarities
    )
    return alike and expected.item_ids == found.item_ids, alike


def variants(
    reference: Recommender, users: Sequence[str], k: int, filters: object
) -> Iterator[tuple[str, list[RecommendationRequest]]]:
    """What is asked: a name and a request for each user."""
    plain = [RecommendationRequest(user_id=user, k=k) for user in users]
    lists = answers(reference, plain)
    yield "plain", plain
    yield "a history alone", [RecommendationRequest(history=one.item_ids, k=k) for one in lists]
    yield "filters", [replace(one, filters=filters) for one in plain]  # type: ignore[arg-type]
    yield (
        "exclude_items",
        [replace(one, exclude_items=found.item_ids[:3]) for one, found in zip(plain, lists, strict=True)],
    )
    yield "diversity, mmr", [replace(one, diversity="mmr") for one in plain]
    yield "diversity, calibrated", [replace(one, diversity="calibrated") for one in plain]
    yield "explanations", [replace(one, explain=True) for one in plain]


def answers(recommender: Recommender, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
    """The lists of all requests, some of which are asked for together."""
    return [
        one
        for start in range(0, len(requests), TOGETHER)
        for one in recommender.recommend(requests[start : start + TOGETHER])
    ]


def line(variant: str, way: str, compared: Sequence[Compared]) -> str:
    """A line of the table."""
    identical, alike = (sum(column) for column in zip(*compared, strict=True))
    return f"| {variant} | {way} | {identical} | {alike} | {len(compared)} |"


def measured(
    reference: Recommender, ways: dict[str, Recommender], users: Sequence[str], k: int, filters: object
) -> Iterator[str]:
    """The lines of the table."""
    for variant, requests in variants(reference, users, k, filters):
        expected = answers(reference, requests)
        for way, recommender in ways.items():
            pairs = zip(expected, answers(recommender, requests), strict=True)
            yield line(variant, way, [compare_lists(*pair) for pair in pairs])
    popular = reference.recommend_one(RecommendationRequest(k=len(users))).item_ids
    for by in get_args(SimilarityKind):
        similar = reference.similar(popular, k, by)
        for way, recommender in ways.items():
            pairs = zip(similar, recommender.similar(popular, k, by), strict=True)
            yield line(f"similar items, by {by}", way, [compare_similar(*pair) for pair in pairs])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--run", type=Path, required=True)
    made.add_argument("--ranker", type=Path)
    made.add_argument("--bundle", type=Path, required=True)
    made.add_argument("--grpc")
    made.add_argument("--http")
    made.add_argument("--users", type=int, default=500)
    made.add_argument("-k", type=int, default=10)
    made.add_argument(
        "--filters",
        type=json.loads,
        default={"genres": {"any_of": ["Drama", "Comedy"], "none_of": ["Horror"]}, "year": {"gte": 1990}},
        help="JSON (default: %(default)s)",
    )
    made.add_argument("--output", type=Path)
    return made


def main() -> None:
    """Compare, print, and write where ``--output`` says."""
    arguments = parser().parse_args()
    bundle = Bundle.open(arguments.bundle)
    manifest = bundle.manifest
    run = open_run(arguments.run)
    reference = ModelRecommender(
        run.model,
        run.prepared,
        None if arguments.ranker is None else open_run(arguments.ranker).model,
        manifest.num_candidates,
        manifest.max_history,
        training=training_of_run(run),
        exclude_seen=manifest.exclude_seen,
        filters=manifest.filters,
        popular_days=manifest.popular_days,
    )
    users = bundle.user_vocabulary.ids.to_pylist()
    chosen = np.random.default_rng(0).choice(users, size=min(arguments.users, len(users)), replace=False).tolist()
    lines = []
    with ExitStack() as stack:
        ways: dict[str, Recommender] = {"bundle in process": BundleRecommender(bundle)}
        for protocol, url in (("grpc", arguments.grpc), ("http", arguments.http)):
            if url is not None:
                ways[f"Triton, {protocol}"] = stack.enter_context(TritonRecommender(url, protocol, timeout_seconds=60))
        for text in measured(reference, ways, chosen, arguments.k, arguments.filters):
            print(text, flush=True)
            lines.append(text)
    ranked = "" if manifest.ranker is None else f", ranked by {manifest.ranker.model}"
    head = [
        "# The same answers everywhere",
        "",
        f"{manifest.retriever.model}{ranked} on {manifest.data.name}: answers that are those of PyTorch, in lists of "
        f"{arguments.k}.",
        "",
        "| | | identical | the same but for rounding | of |",
        "|---|---|---|---|---|",
    ]
    write_results("\n".join([*head, *lines, ""]), arguments.output)


if __name__ == "__main__":
    main()
