"""Asks a Triton server for recommendations, as :class:`recsys.runtime.recommender.BundleRecommender` is asked."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.cli.commands import command_line
from recsys.data.column_values import text_of
from recsys.errors import ServingError
from recsys.runtime.onnx_inputs import feature_input
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.user_features import FeatureValue, number_of, unknown_feature_message

PROTOCOLS = ("grpc", "http")

#: The model that is asked, and what it is asked for.
MODEL = "recommend"
OUTPUTS = ("item_ids", "scores", "personalized")

#: The longest list that can be asked for: there is no catalogue of this size.
_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class TritonAnswer:
    """A list.

    Args:
        item_ids: best first; k of them, if there are as many.
        scores: of the items.
        personalized: whether it is the user's own list; else it is what is popular, and the scores are numbers of
            interactions.
        version: of the bundle that answered.
    """

    item_ids: list[str]
    scores: list[float]
    personalized: bool
    version: int


class TritonRecommender:
    """A client of one server. With gRPC any number of threads may ask at once, with HTTP one at a time.

    Close it before the server is stopped: an open HTTP connection makes the server wait.

    Args:
        url: host and port, such as ``127.0.0.1:8001``.
        protocol: ``grpc`` or ``http``.
        timeout_seconds: how long an answer may take.

    Raises:
        ServingError: there is no such protocol, or Triton's client is not installed.
    """

    def __init__(self, url: str, protocol: str = "grpc", timeout_seconds: float = 5.0) -> None:
        if protocol not in PROTOCOLS:
            raise ServingError(f"protocol must be {' or '.join(PROTOCOLS)}, but it is {protocol}.")
        self._module = client_module(protocol)
        self._url = url
        self._inputs: dict[str, tuple[bool, bool]] = {}
        if protocol == "grpc":
            self._client: Any = self._module.InferenceServerClient(url)
            self._timeout: dict[str, Any] = {"client_timeout": timeout_seconds}
        else:
            self._client = self._module.InferenceServerClient(
                url, connection_timeout=timeout_seconds, network_timeout=timeout_seconds
            )
            self._timeout = {}

    def recommend(self, asked: RecommendationRequest, version: int | None = None) -> TritonAnswer:
        """A list for one user.

        Args:
            asked: rules of columns, diversity and explanations are not known to the server.
            version: of the bundle that is to answer, among those that answer now; None: whichever does.

        Raises:
            ServingError: the server cannot be reached, has no such version, refuses the request, or is asked for what
                it does not know.
        """
        unknown = [name for name in ("only", "without", "between", "diversity", "explain") if getattr(asked, name)]
        if unknown:
            raise ServingError(
                f"The models on Triton do not know {', '.join(unknown)}. Leave it out, or ask the bundle in process."
            )
        inputs = [self._input("k", [min(asked.k, _MOST)], np.int64)]
        if asked.user_id is not None:
            inputs.append(self._input("user_id", [asked.user_id], np.object_))
        if asked.history is not None:
            inputs.append(self._input("history", asked.history, np.object_))
        if asked.ratings is not None:
            inputs.append(self._input("ratings", asked.ratings, np.float32))
        if asked.timestamps is not None:
            inputs.append(self._input("timestamps", asked.timestamps, np.int64))
        if asked.exclude_items:
            inputs.append(self._input("exclude_items", asked.exclude_items, np.object_))
        inputs += self._features(asked.user_features, version)
        outputs = [self._module.InferRequestedOutput(name) for name in OUTPUTS]
        with server_errors(self._url):
            result = self._client.infer(
                MODEL,
                inputs,
                model_version="" if version is None else str(version),
                outputs=outputs,
                **self._timeout,
            )
        response = result.get_response()
        answered = response["model_version"] if isinstance(response, dict) else response.model_version
        ids, scores, personalized = (result.as_numpy(name)[0] for name in OUTPUTS)
        return TritonAnswer(
            [item.decode("utf-8") for item in ids.tolist()], scores.tolist(), bool(personalized[0]), int(answered)
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> TritonRecommender:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _features(self, told: Mapping[str, FeatureValue], version: int | None) -> list[Any]:
        """What is told of the columns of the user, as the server has them.

        Raises:
            ServingError: the models on the server do not read a column, or it is of another type there.
        """
        if any(feature_input(column) not in self._inputs for column in told):
            # All versions on a server have the same inputs; they are asked for anew only where one seems to be missing.
            self._inputs = self._inputs_of(version)
        prefix = feature_input("")
        tensors = []
        for column, value in told.items():
            name = feature_input(column)
            if name not in self._inputs:
                read = [other.removeprefix(prefix) for other in self._inputs if other.startswith(prefix)]
                raise ServingError(unknown_feature_message(column, read))
            is_number, has_one = self._inputs[name]
            if is_number:
                tensors.append(self._input(name, [_number(column, value)], np.float32))
            else:
                tensors.append(self._input(name, _texts(column, value, has_one), np.object_))
        return tensors

    def _inputs_of(self, version: int | None) -> dict[str, tuple[bool, bool]]:
        """Of each input by its name, whether it is a number and whether it is a single value."""
        asked = "" if version is None else str(version)
        with server_errors(self._url):
            metadata = self._client.get_model_metadata(MODEL, asked, **self._timeout)
        if not isinstance(metadata, dict):
            return {of.name: (of.datatype == "FP32", list(of.shape)[-1] == 1) for of in metadata.inputs}
        return {of["name"]: (of["datatype"] == "FP32", int(of["shape"][-1]) == 1) for of in metadata["inputs"]}

    def _input(self, name: str, values: Sequence[Any], dtype: type[Any]) -> Any:
        array: npt.NDArray[Any] = np.array([list(values)], dtype=dtype)
        type_ = {np.object_: "BYTES", np.float32: "FP32", np.int64: "INT64"}[dtype]
        tensor = self._module.InferInput(name, list(array.shape), type_)
        tensor.set_data_from_numpy(array)
        return tensor


def _number(column: str, told: FeatureValue) -> float:
    """The number that is told.

    Raises:
        ServingError: it is none.
    """
    number = number_of(told)
    if number is None:
        raise ServingError(f"The user feature {column} must be a number, but it is {told!r}.")
    return number


def _texts(column: str, told: FeatureValue, has_one: bool) -> list[str]:
    """The texts that are told.

    Raises:
        ServingError: they are none, or of another number than they should be.
    """
    values = [told] if isinstance(told, str | int | float) else told
    texts = [text_of(value) for value in values] if isinstance(values, list | tuple) else []
    if not texts or None in texts or (has_one and not isinstance(told, str | int | float)):
        required = "one value that is not empty" if has_one else "values, at least one, none of them empty"
        raise ServingError(
            f"The user feature {column} must be {required}, but it is {told!r}. To tell Triton that nothing is known, "
            "leave it out, or ask the bundle in process."
        )
    return [text for text in texts if text is not None]


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
        ServingError: it did, or there is none.
    """
    try:
        yield
    except _refused() as error:
        if error.status() not in ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED"):
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
