"""Which requests a client sends and what it makes of the answers, with a stand-in for Triton's own client."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import pytest
from recsys_serving.triton import answer_tensors
from recsys_serving.triton.client import (
    CHANNEL_ARGUMENTS,
    TritonRecommender,
    VersionNotServed,
    client_module,
    server_errors,
)
from recsys_serving.triton.state import ServerState
from tritonclient.utils import InferenceServerException

from recsys.errors import RequestError, ServingError
from recsys.runtime.recommendation import Recommendation, Recommender, SimilarItems
from recsys.runtime.request import RecommendationRequest

URL = "127.0.0.1:8001"


class Input:
    """An input as Triton's client has it."""

    def __init__(self, name: str, shape: list[int], type_: str) -> None:
        self.name, self.shape, self.type = name, shape, type_

    def set_data_from_numpy(self, values: Any) -> None:
        assert list(values.shape) == self.shape
        self.values = values


class Answer:
    """An answer as Triton's client has it."""

    def __init__(self, tensors: dict[str, Any], response: Any) -> None:
        self.as_numpy, self.get_response = tensors.__getitem__, lambda: response


class StandIn:
    """Triton's client of one protocol: remembers what it is asked; recommends item ``of K`` for a request of k = K."""

    InferInput, InferRequestedOutput = Input, staticmethod(str)

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self.made: list[tuple[str, dict[str, float]]] = []
        self.asked: list[SimpleNamespace] = []
        self.error: Exception | None = None
        self.closed = 0

    def InferenceServerClient(self, url: str, **settings: float) -> StandIn:  # noqa: N802
        self.made.append((url, settings))
        return self

    def infer(self, model: str, tensors: list[Input], **settings: Any) -> Answer:
        self.asked.append(SimpleNamespace(model=model, inputs={one.name: one for one in tensors}, **settings))
        if self.error is not None:
            raise self.error
        if model == "similar":
            answer = answer_tensors.similar_tensors_of([[SimilarItems("a", ["b"], [0.5], "cosine")]])
        else:
            (k,) = next(one.values[0] for one in tensors if one.name == "k")
            answer = answer_tensors.tensors_of([Recommendation([f"of {k}"], [1.0], True, "")])
        versions = {"model_version": "7"}
        return Answer(answer, versions if self.protocol == "http" else SimpleNamespace(**versions))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(params=["grpc", "http"])
def triton(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn(request.param)
    monkeypatch.setitem(sys.modules, f"tritonclient.{request.param}", stand_in)
    return stand_in


@pytest.fixture
def recommender(triton: StandIn) -> Iterator[TritonRecommender]:
    with TritonRecommender(URL, triton.protocol, timeout_seconds=3, version=7) as recommender:
        yield recommender


def test_it_is_a_recommender(recommender: TritonRecommender):
    assert isinstance(recommender, Recommender)


def test_another_protocol_is_refused():
    with pytest.raises(ServingError, match="protocol must be grpc or http, but it is ftp"):
        TritonRecommender(URL, "ftp")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_without_the_client_of_triton_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch, protocol: str):
    monkeypatch.setitem(sys.modules, f"tritonclient.{protocol}", None)
    with pytest.raises(ServingError, match=r"not installed: pip install 'recsys-framework\[serving\]'"):
        client_module(protocol)


def test_a_request_goes_as_tensors_with_a_row(triton: StandIn, recommender: TritonRecommender):
    recommender.recommend_one(RecommendationRequest(user_id="é", history=["a", "b"], ratings=[5, 3.5], k=4))
    (asked,) = triton.asked
    assert asked.model == "recommend"
    assert asked.outputs == ["item_ids", "scores", "personalized", "details"]
    assert {name: (one.type, one.shape, one.values.tolist()) for name, one in asked.inputs.items()} == {
        "user_id": ("BYTES", [1, 1], [["é".encode()]]),
        "history": ("BYTES", [1, 2], [[b"a", b"b"]]),
        "ratings": ("FP32", [1, 2], [[5.0, 3.5]]),
        "k": ("INT64", [1, 1], [[4]]),
    }


def test_the_version_that_is_to_answer_is_named_and_the_one_that_did_is_told(
    triton: StandIn, recommender: TritonRecommender
):
    assert recommender.recommend_one(RecommendationRequest(k=4)).model_version == "7"
    with TritonRecommender(URL, triton.protocol) as other:
        other.recommend_one(RecommendationRequest(k=4))
    assert [asked.model_version for asked in triton.asked] == ["7", ""]


def test_a_request_may_name_a_version_of_its_own(triton: StandIn, recommender: TritonRecommender):
    requests = [RecommendationRequest(k=k) for k in (1, 2)]
    recommender.recommend(requests, version=9)
    recommender.recommend(requests)
    assert sorted(asked.model_version for asked in triton.asked) == ["7", "7", "9", "9"]


@pytest.mark.parametrize("status", ["StatusCode.NOT_FOUND", "404"])
def test_a_version_that_a_server_does_not_have_is_told_from_other_errors(status: str):
    with pytest.raises(VersionNotServed, match="version 9 is not found"), server_errors(URL):
        raise InferenceServerException("Request for unknown model: 'recommend' version 9 is not found", status)


def test_a_client_waits_as_long_as_it_is_told(triton: StandIn, recommender: TritonRecommender):
    recommender.recommend_one(RecommendationRequest(k=4))
    (asked,) = triton.asked
    if triton.protocol == "http":  # there it is the connection that waits
        assert triton.made == [(URL, {"connection_timeout": 3, "network_timeout": 3})]
        assert not hasattr(asked, "client_timeout")
    else:
        assert triton.made == [(URL, {"channel_args": list(CHANNEL_ARGUMENTS)})] and asked.client_timeout == 3


def test_the_lists_come_in_the_order_of_the_requests(triton: StandIn, recommender: TritonRecommender):
    answers = recommender.recommend([RecommendationRequest(k=k) for k in range(1, 40)])
    assert [answer.item_ids for answer in answers] == [[f"of {k}"] for k in range(1, 40)]
    assert len(triton.asked) == 39


def test_nothing_is_asked_for_no_requests(triton: StandIn, recommender: TritonRecommender):
    assert recommender.recommend([]) == []
    assert not triton.asked


def test_similar_items_are_asked_by_their_own_names(triton: StandIn, recommender: TritonRecommender):
    assert recommender.similar(["a"], 3, "content") == [SimilarItems("a", ["b"], [0.5], "cosine")]
    (asked,) = triton.asked
    assert (asked.model, asked.outputs, asked.model_version) == ("similar", ["similar"], "7")
    assert {name: (one.type, one.values.tolist()) for name, one in asked.inputs.items()} == {
        "item_ids": ("BYTES", [[b"a"]]),
        "k": ("INT64", [[3]]),
        "by": ("BYTES", [[b"content"]]),
    }


def test_a_wrong_question_for_similar_items_does_not_reach_the_server(triton: StandIn, recommender: TritonRecommender):
    with pytest.raises(RequestError, match="k must be a whole number"):
        recommender.similar(["a"], 0)
    with pytest.raises(RequestError, match="by must be model or content"):
        recommender.similar(["a"], 3, "looks")  # type: ignore[arg-type]
    assert not triton.asked


def test_an_error_of_one_request_is_that_of_all(triton: StandIn, recommender: TritonRecommender):
    triton.error = InferenceServerException("in ensemble 'recommend', no such column", status="400")
    with pytest.raises(RequestError, match="^no such column$"):
        recommender.recommend([RecommendationRequest(k=k) for k in (1, 2, 3)])


def test_connections_are_closed_once_at_the_end(triton: StandIn):
    with TritonRecommender(URL, triton.protocol):
        assert triton.closed == 0
    assert triton.closed == 1


@pytest.mark.parametrize("status", ["StatusCode.INVALID_ARGUMENT", "400"])
def test_what_the_model_refuses_is_a_wrong_request_with_its_own_message(status: str):
    with pytest.raises(RequestError, match=r"^There is no column 'in ensemble 'x', size'\.$"), server_errors(URL):
        raise InferenceServerException("in ensemble 'recommend', There is no column 'in ensemble 'x', size'.", status)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Request for unknown model: 'recommend' has no available versions", "400"),
        ("unexpected shape for input 'k'", "StatusCode.INVALID_ARGUMENT"),
        ("in ensemble 'recommend', IndexError: list index out of range", "StatusCode.INTERNAL"),
        ("in ensemble 'recommend', IndexError: list index out of range", "500"),
    ],
)
def test_what_the_server_refuses_is_an_error_of_the_server(message: str, status: str):
    with pytest.raises(ServingError, match=f"^The Triton server at {URL} refused: {message}$"), server_errors(URL):
        raise InferenceServerException(message, status)


@pytest.mark.parametrize(
    "error",
    [
        InferenceServerException("no connection", "StatusCode.UNAVAILABLE"),
        InferenceServerException("Deadline Exceeded", "StatusCode.DEADLINE_EXCEEDED"),
        ConnectionRefusedError("refused"),
        TimeoutError("timed out"),
    ],
)
def test_a_server_that_does_not_answer_is_told(error: Exception):
    with (
        pytest.raises(ServingError, match=rf"required at {URL}, but none answers.*scripts/triton_server\.py") as found,
        server_errors(URL),
    ):
        raise error
    assert found.value.__cause__ is error


def test_a_mistake_in_a_program_keeps_its_own_error():
    with pytest.raises(KeyError), server_errors(URL):
        raise KeyError("k")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_no_server_is_told(protocol: str):
    with (
        TritonRecommender("127.0.0.1:1", protocol, timeout_seconds=2) as recommender,
        pytest.raises(ServingError, match="A Triton server is required at 127.0.0.1:1, but none answers"),
    ):
        recommender.recommend_one(RecommendationRequest())


@pytest.mark.triton
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_version_may_be_chosen(version_1: ServerState, protocol: str):
    url = version_1.grpc_url if protocol == "grpc" else version_1.http_url
    asked = RecommendationRequest(user_id="u01", k=5)
    with TritonRecommender(url, protocol, timeout_seconds=60, version=1) as recommender:
        assert recommender.recommend_one(asked).model_version == "1"
    with (
        TritonRecommender(url, protocol, timeout_seconds=60, version=77) as recommender,
        pytest.raises(ServingError, match="refused: Request for unknown model: 'recommend' version 77 is not found"),
    ):
        recommender.recommend_one(asked)


def _tensor(name: str, datatype: str, *data: object) -> dict[str, object]:
    return {"name": name, "shape": [1, len(data)], "datatype": datatype, "data": data}


@pytest.mark.triton
@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (_tensor("k", "INT64", 0), "k must be a whole number of at least 1"),
        (_tensor("k", "INT64", "ten"), "Unable to parse 'data'"),
        (_tensor("k", "INT64", 2**64), "Unable to parse 'data'"),
        (_tensor("timestamps", "INT64", 2**63), "Unable to parse 'data'"),
        (_tensor("ratings", "FP32", 1e39), "must be finite numbers, but inf came"),
        (_tensor("ratings", "FP32", 10**400), "failed to parse the request JSON"),
        (_tensor("filters", "BYTES", "[" * 5000), "filters must be JSON"),
        (_tensor("filters", "BYTES", '{"colours": 7}'), "The filter of the column colours"),
        (_tensor("user_features", "BYTES", "[1]"), "user_features must be a JSON object"),
        (_tensor("explain", "BOOL", 2), "Unable to parse 'data'"),
        (_tensor("surprise", "BYTES", "a"), "unexpected inference input"),
    ],
)
def test_what_is_wrong_is_the_fault_of_who_asks_by_http(
    version_1: ServerState, tensor: dict[str, object], message: str
):
    connection = HTTPConnection(version_1.http_url, timeout=30)
    body = json.dumps({"inputs": [_tensor("history", "BYTES", "i02"), tensor]})
    connection.request("POST", "/v2/models/recommend/infer", body)
    answer = connection.getresponse()
    assert (answer.status, message in json.loads(answer.read())["error"]) == (400, True)
    connection.close()
