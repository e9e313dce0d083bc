"""Asks a Triton server for recommendations."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from recsys.cli.commands import command_line
from recsys.errors import RequestError, ServingError
from recsys.runtime.recommendation import Recommendation, SimilarItems, SimilarityKind
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.similar_items import check_similar_request
from recsys_serving.triton import answer_tensors, request_tensors
from recsys_serving.triton.interface import (
    RECOMMEND,
    RECOMMEND_INPUTS,
    RECOMMEND_OUTPUTS,
    SIMILAR,
    SIMILAR_INPUTS,
    SIMILAR_OUTPUTS,
    SIMILAR_SPECS,
    Tensors,
)

PROTOCOLS = ("grpc", "http")

#: Requests that one call has under way at once by gRPC; the server answers together those that come together.
MAX_CONCURRENT = 16

_SPECS = {**RECOMMEND_INPUTS, **SIMILAR_SPECS}
_TYPES = {"STRING": "BYTES"}
#: What an ensemble says before the message of its step.
_OF_STEP = re.compile(r"^in ensemble '[^']*', ")
_NOT_REACHED = ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED")
_REFUSED = ("StatusCode.INVALID_ARGUMENT", "400")
_NOT_FOUND = ("StatusCode.NOT_FOUND", "404")


#: Settings of a gRPC channel: messages as long as Triton takes them, and a lost server is tried again after 0.2 to 1
#: seconds, in place of up to two minutes.
CHANNEL_ARGUMENTS = (
    ("grpc.max_send_message_length", 2**31 - 1),
    ("grpc.max_receive_message_length", 2**31 - 1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class VersionNotServed(ServingError):
    """A server answers, but not with the version that it was asked for."""


class TritonRecommender:
    """A client of one server; see :class:`recsys.runtime.recommendation.Recommender`.

    With gRPC any number of threads may ask at once, with HTTP one at a time. Close it before the server is stopped: an
    open HTTP connection makes the server wait.

    Args:
        url: host and port, such as ``127.0.0.1:8001``.
        protocol: ``grpc`` or ``http``.
        timeout_seconds: how long an answer may take.
        version: that is to answer, among those that answer now; None: whichever does.

    Raises:
        ServingError: there is no such protocol, or Triton's client is not installed.
    """

    def __init__(
        self, url: str, protocol: str = "grpc", timeout_seconds: float = 5.0, version: int | None = None
    ) -> None:
        if protocol not in PROTOCOLS:
            raise ServingError(f"protocol must be {' or '.join(PROTOCOLS)}, but it is {protocol}.")
        self._module = client_module(protocol)
        self._url = url
        self._version = "" if version is None else str(version)
        self._pool: ThreadPoolExecutor | None = None
        if protocol == "grpc":
            self._client: Any = self._module.InferenceServerClient(url, channel_args=list(CHANNEL_ARGUMENTS))
            self._timeout: dict[str, Any] = {"client_timeout": timeout_seconds}
            self._pool = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="triton")
        else:
            self._client = self._module.InferenceServerClient(
                url, connection_timeout=timeout_seconds, network_timeout=timeout_seconds
            )
            self._timeout = {}

    def recommend(self, requests: Sequence[RecommendationRequest], version: int | None = None) -> list[Recommendation]:
        """A list for each request, in their order.

        Args:
            requests: of any number.
            version: that is to answer; None: that of this client.

        Raises:
            RequestError: a request is refused, with the message that it has in process.
            VersionNotServed: another version answers now, or none.
            ServingError: the server cannot be reached, or cannot answer.
        """
        if self._pool is None or len(requests) < 2:
            return [self.recommend_one(request, version) for request in requests]
        return list(self._pool.map(lambda request: self.recommend_one(request, version), requests))

    def recommend_one(self, request: RecommendationRequest, version: int | None = None) -> Recommendation:
        """A list for one request; arguments and errors as above."""
        inputs = request_tensors.tensors_of(request)
        names = {name: name for name in inputs}
        tensors, answered = self._ask(RECOMMEND, names, inputs, list(RECOMMEND_OUTPUTS), version)
        return answer_tensors.recommendation_of(tensors, 0, answered)

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """See :meth:`recsys.runtime.recommendation.Recommender.similar`; errors as above."""
        check_similar_request(k, by)
        inputs = request_tensors.similar_tensors_of(item_ids, k, by)
        tensors, _ = self._ask(SIMILAR, SIMILAR_INPUTS, inputs, list(SIMILAR_OUTPUTS))
        return answer_tensors.similar_items_of(tensors, 0)

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.shutdown()
        self._client.close()

    def __enter__(self) -> TritonRecommender:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, model: str, names: Any, inputs: Tensors, outputs: Sequence[str], version: int | None = None
    ) -> tuple[Tensors, str]:
        """The outputs of a model, and the version that answered."""
        wanted_version = self._version if version is None else str(version)
        tensors = [self._input(names[name], _SPECS[name].type, values) for name, values in inputs.items()]
        wanted = [self._module.InferRequestedOutput(name) for name in outputs]
        with server_errors(self._url):
            result = self._client.infer(model, tensors, model_version=wanted_version, outputs=wanted, **self._timeout)
        response = result.get_response()
        answered = response["model_version"] if isinstance(response, dict) else response.model_version
        return {name: result.as_numpy(name) for name in outputs}, str(answered)

    def _input(self, name: str, type_: str, values: Any) -> Any:
        tensor = self._module.InferInput(name, list(values.shape), _TYPES.get(type_, type_))
        tensor.set_data_from_numpy(values)
        return tensor


def client_module(protocol: str) -> Any:
    """Triton's client for a protocol.

    Raises:
        ServingError: it is not installed.
    """
    try:
        return importlib.import_module(f"tritonclient.{protocol}")
    except ImportError as error:
        raise ServingError(
            "Asking a Triton server needs its client, which is not installed: pip install 'recsys-framework[serving]'."
        ) from error


@contextmanager
def server_errors(url: str) -> Iterator[None]:
    """Say what a server refused, or that there is none.

    Raises:
        RequestError: the request is wrong.
        VersionNotServed: the server has no such model or version.
        ServingError: the server refuses, or there is none.
    """
    try:
        yield
    except _refused() as error:
        if error.status() in _REFUSED and _OF_STEP.match(error.message()):
            raise RequestError(_OF_STEP.sub("", error.message())) from error
        if error.status() in _NOT_FOUND:
            raise VersionNotServed(f"The Triton server at {url} refused: {error.message()}") from error
        if error.status() not in _NOT_REACHED:
            raise ServingError(f"The Triton server at {url} refused: {error.message()}") from error
        raise _not_reached(url, error) from error
    except OSError as error:  # of HTTP
        raise _not_reached(url, error) from error


def _refused() -> type[Any]:
    """The error of a server that refuses, and of one that gRPC does not reach."""
    from tritonclient.utils import InferenceServerException

    return InferenceServerException


def _not_reached(url: str, error: Exception) -> ServingError:
    return ServingError(
        f"A Triton server is required at {url}, but none answers in time ({error}). Start one with "
        f"{command_line('triton_server')}, or correct the address."
    )
