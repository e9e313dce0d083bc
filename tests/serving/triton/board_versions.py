"""Versions of the session's server, one for each kind of bundle, and what their bundles answer in process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from recsys_serving.triton.repository import OnnxPlace, write_repository
from recsys_serving.triton.state import ServerState
from recsys_serving.triton.versions import swap_version

from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.recommendation import Recommendation
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS

#: Bundles by their versions: the encoder scores the catalogue, or makes vectors that are compared with all items or
#: looked for in an index of FAISS, or a ranker follows.
BUNDLES = {
    1: lambda: board_bundle("ease"),
    2: lambda: board_bundle("pure_svd"),
    3: lambda: board_bundle("pure_svd", "ease"),
    4: lambda: board_bundle("pure_svd", index="IVF4,SQ8", rescore=4),
}
#: Where ONNX models run.
PLACES: dict[int, OnnxPlace] = {1: "in_process", 2: "triton", 3: "triton", 4: "in_process"}


def bundle_of(version: int) -> Bundle:
    """The bundle of a version."""
    return Bundle.open(BUNDLES[version]())


def write(repository: Path, version: int) -> None:
    """Add a version to the repository, where it is not there yet."""
    if not (repository / "recommend" / str(version)).is_dir():
        write_repository(bundle_of(version), repository, version, models=PLACES[version])


def swap(server: ServerState, repository: Path, version: int) -> None:
    """Let a version answer."""
    swap_version(repository, version, server.grpc_url, admin_key=server.admin_key)


class Expected:
    """What the bundle answers in process; of items with equal scores any may come first."""

    def __init__(self, version: int, questions: Sequence[RecommendationRequest]) -> None:
        recommender = BundleRecommender(bundle_of(version))
        self._questions = questions
        self._own = recommender.recommend(questions)
        self._all = recommender.recommend([replace(question, k=NUM_ITEMS, explain=False) for question in questions])

    def check(self, place: int, answer: Recommendation) -> None:
        question, own, everything = self._questions[place], self._own[place], self._all[place]
        scores = dict(zip(everything.item_ids, everything.scores, strict=True))
        for name in (
            "personalized",
            "notes",
            "unknown_items",
            "unknown_values",
            "unknown_filter_values",
            "explanation_method",
        ):
            assert getattr(answer, name) == getattr(own, name), question
        assert answer.scores == pytest.approx(own.scores, rel=1e-4, abs=1e-5), question
        assert answer.scores == pytest.approx([scores[item] for item in answer.item_ids], rel=1e-4, abs=1e-5), question
        assert len(set(answer.item_ids)) == len(answer.item_ids), question
        if question.explain:
            check_explanations(own, answer)


def check_explanations(own: Recommendation, answer: Recommendation) -> None:
    if own.explanations is None:
        assert answer.explanations is None
        return
    expected = dict(zip(own.item_ids, own.explanations, strict=True))
    for item, explanation in zip(answer.item_ids, answer.explanations, strict=True):
        if item in expected:  # else it came in for one with an equal score
            assert [one.item_id for one in explanation.contributions] == [
                one.item_id for one in expected[item].contributions
            ]
            assert [one.shared for one in explanation.contributions] == [
                one.shared for one in expected[item].contributions
            ]
            assert replace(explanation, contributions=(), older_value=0.0, rest=0.0) == replace(
                expected[item], contributions=(), older_value=0.0, rest=0.0
            )
            assert explanation.rest == pytest.approx(expected[item].rest, rel=1e-4, abs=1e-5)
            values = [
                [one.value for one in each.contributions if one.value is not None]
                for each in (explanation, expected[item])
            ]
            assert values[0] == pytest.approx(values[1], rel=1e-4, abs=1e-5)
