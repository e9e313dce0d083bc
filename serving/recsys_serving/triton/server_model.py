"""An ONNX model that the server runs, asked from a model in Python (business logic scripting)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import RequestError, ServingError
from recsys.runtime.onnx_inputs import OnnxInputs
from recsys_serving.triton.served_bundle import OnnxSignature


class ServerModel:
    """Runs as :class:`recsys.runtime.onnx_model.OnnxModel` does, by the server.

    Args:
        name: of the model on the server.
        version: of it.
        signature: its inputs and outputs.
        backend: Triton's module for models in Python.
    """

    def __init__(self, name: str, version: int, signature: OnnxSignature, backend: Any) -> None:
        self._name = name
        self._version = version
        self._signature = signature
        self._backend = backend

    def run(self, onnx_inputs: OnnxInputs) -> npt.NDArray[Any]:
        """The only or the first output; see :meth:`recsys.runtime.onnx_model.OnnxModel.run`."""
        return self.run_all(onnx_inputs)[self._signature.outputs[0]]

    def run_all(self, onnx_inputs: OnnxInputs) -> dict[str, npt.NDArray[Any]]:
        """All outputs by name; inputs that the model does not have are left out.

        Raises:
            RecsysError: an input is missing.
            ServingError: the server cannot run the model.
        """
        missing = [name for name in self._signature.inputs if name not in onnx_inputs]
        if missing:
            inputs = ", ".join(self._signature.inputs)
            raise RequestError(f"{self._name} needs the inputs {inputs}, but {missing[0]} is missing.")
        response = self._backend.InferenceRequest(
            model_name=self._name,
            model_version=self._version,
            requested_output_names=list(self._signature.outputs),
            inputs=[
                self._backend.Tensor(name, np.ascontiguousarray(onnx_inputs[name])) for name in self._signature.inputs
            ],
        ).exec()
        if response.has_error():
            message = response.error().message()
            raise ServingError(f"The server cannot run the model {self._name}, version {self._version}: {message}")
        return {
            name: self._backend.get_output_tensor_by_name(response, name).as_numpy() for name in self._signature.outputs
        }
