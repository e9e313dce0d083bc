"""Columns of users as inputs of a Triton server."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recsys_serving.triton.client import TritonRecommender
from recsys_serving.triton.launcher import start, stop
from recsys_serving.triton.repository import write_repository
from recsys_serving.triton.state import ServerState

from recsys.errors import RequestError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle

pytestmark = pytest.mark.triton

HISTORY = ["i02", "i08"]
QUESTIONS = [
    RecommendationRequest(user_id="u04", k=5),
    RecommendationRequest(history=HISTORY, k=5),
    RecommendationRequest(history=HISTORY, user_features={"city": "Kiel", "age": 21, "hobbies": ["chess", "rowing"]}),
    RecommendationRequest(user_id="u04", user_features={"age": 60}),
    RecommendationRequest(user_features={"city": "Bonn", "hobbies": ["no such hobby"]}),
    RecommendationRequest(user_id="u04", history=HISTORY, user_features={"hobbies": "rowing", "city": "Rome"}),
    RecommendationRequest(user_id="u04", history=HISTORY, user_features={"hobbies": "rowing|chess", "city": 0}),
    RecommendationRequest(user_id="u04", user_features={"city": None, "hobbies": []}),
]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Finds and ranks by columns of users as well: their city, age and hobbies."""
    return Bundle.open(board_bundle("two_tower", "two_tower"))


@pytest.fixture(scope="module")
def server_of_users(
    triton_environment: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerState]:
    directory = tmp_path_factory.mktemp("server")
    write_repository(bundle, directory / "repository", version=1)
    yield start(directory / "state", directory / "repository", environment=triton_environment)
    stop(directory / "state")


@pytest.fixture(params=["grpc", "http"])
def recommender(server_of_users: ServerState, request: pytest.FixtureRequest) -> Iterator[TritonRecommender]:
    url = server_of_users.grpc_url if request.param == "grpc" else server_of_users.http_url
    with TritonRecommender(url, request.param, timeout_seconds=60) as recommender:
        yield recommender


def test_the_answers_are_those_of_the_bundle_in_process(bundle: Bundle, recommender: TritonRecommender):
    in_process = BundleRecommender(bundle)
    for question in QUESTIONS:
        answer, expected = recommender.recommend_one(question), in_process.recommend_one(question)
        assert answer.item_ids == expected.item_ids, question
        assert (answer.notes, answer.unknown_values) == (expected.notes, expected.unknown_values), question
        assert answer.scores == pytest.approx(expected.scores, rel=1e-4, abs=1e-5), question


def test_what_fills_up_a_batch_tells_nothing(bundle: Bundle, server_of_users: ServerState):
    import tritonclient.grpc as grpc

    inputs = {
        "history": np.array([HISTORY, HISTORY], dtype=object),
        "user.age": np.array([[np.nan], [60]], dtype=np.float32),
        "user.city": np.array([["Ulm"], [""]], dtype=object),
        "user.hobbies": np.array([["chess", "rowing"], ["", ""]], dtype=object),
    }
    with grpc.InferenceServerClient(server_of_users.grpc_url) as client:
        tensors = []
        for name, values in inputs.items():
            tensor = grpc.InferInput(name, list(values.shape), "FP32" if name == "user.age" else "BYTES")
            tensor.set_data_from_numpy(values)
            tensors.append(tensor)
        scores = client.infer("recommend", tensors).as_numpy("scores")
    expected = BundleRecommender(bundle).recommend(
        [
            RecommendationRequest(history=HISTORY, user_features={"city": "Ulm", "hobbies": ["chess", "rowing"]}),
            RecommendationRequest(history=HISTORY, user_features={"age": 60}),
        ]
    )
    assert scores[0] == pytest.approx(expected[0].scores, rel=1e-4, abs=1e-5)
    assert scores[1] == pytest.approx(expected[1].scores, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    "features",
    [
        {"size": 3},
        {"age": "old"},
        {"age": [3, 4]},
        {"age": float("nan")},
        {"city": ["Ulm"]},
        {"hobbies": 3},
        {"hobbies": ["chess"] * 1_001},
    ],
)
def test_what_cannot_be_told_is_refused_as_in_process(
    bundle: Bundle, recommender: TritonRecommender, features: dict[str, object]
):
    request = RecommendationRequest(history=HISTORY, user_features=features)  # type: ignore[arg-type]
    with pytest.raises(RequestError) as expected:
        BundleRecommender(bundle).recommend_one(request)
    with pytest.raises(RequestError) as found:
        recommender.recommend_one(request)
    assert str(found.value) == str(expected.value)
