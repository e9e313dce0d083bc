from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recsys_serving.triton.served_bundle import OnnxSignature
from recsys_serving.triton.server_model import ServerModel

from recsys.errors import RecsysError, ServingError

SIGNATURE = OnnxSignature(["history", "rating"], ["sum", "product"])


class Tensor:
    def __init__(self, name: str, values: Any) -> None:
        self.name, self._values = name, values

    def as_numpy(self) -> Any:
        return self._values


class Backend:
    """Triton's module for Python models, which computes a sum and a product."""

    Tensor = Tensor

    def __init__(self, error: str | None = None) -> None:
        self.error_message = error
        self.asked: list[Any] = []

    def InferenceRequest(self, **request: Any) -> Backend:  # noqa: N802
        self.asked.append(request)
        return self

    def exec(self) -> Backend:
        return self

    def has_error(self) -> bool:
        return self.error_message is not None

    def error(self) -> Backend:
        return self

    def message(self) -> str | None:
        return self.error_message

    def get_output_tensor_by_name(self, response: Any, name: str) -> Tensor:
        history, rating = (tensor.as_numpy() for tensor in self.asked[-1]["inputs"])
        return Tensor(name, history + rating if name == "sum" else history * rating)


def test_the_server_runs_the_model_of_the_version():
    backend = Backend()
    model = ServerModel("ranker", 7, SIGNATURE, backend)
    inputs = {"history": np.array([2, 3]), "rating": np.array([4, 5]), "more": np.array([1])}
    assert model.run(inputs).tolist() == [6, 8]
    assert {name: values.tolist() for name, values in model.run_all(inputs).items()} == {
        "sum": [6, 8],
        "product": [8, 15],
    }
    request = backend.asked[0]
    assert (request["model_name"], request["model_version"]) == ("ranker", 7)
    assert [tensor.name for tensor in request["inputs"]] == SIGNATURE.inputs
    assert request["requested_output_names"] == SIGNATURE.outputs


def test_a_missing_input_is_told():
    with pytest.raises(RecsysError, match="ranker needs the inputs history, rating, but rating is missing"):
        ServerModel("ranker", 7, SIGNATURE, Backend()).run({"history": np.array([2])})


def test_what_the_server_refuses_is_told():
    model = ServerModel("ranker", 7, SIGNATURE, Backend("no memory"))
    with pytest.raises(ServingError, match="cannot run the model ranker, version 7: no memory"):
        model.run({"history": np.array([2]), "rating": np.array([4])})
