"""Runs one ONNX model in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import BundleError
from recsys.runtime.execution_providers import open_session
from recsys.runtime.onnx_inputs import OnnxInputs

#: What ONNX calls the types of our inputs.
_TYPES = {"tensor(int64)": np.int64, "tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxModel:
    """A model with one output or more. Several threads may run it at once.

    Args:
        path: of the file.
        num_threads: that work on one operation; more than one helps large models and single requests, and costs where
            many run at once.
        providers: execution providers of ONNX Runtime, the preferred first, such as ``["CPUExecutionProvider"]``; None:
            CUDA where ONNX Runtime offers it and it works, else the processor.

    Raises:
        BundleError: ONNX Runtime is not installed or does not read the file, or a provider that was asked for is not
            there.
    """

    def __init__(self, path: Path, num_threads: int = 1, providers: Sequence[str] | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise BundleError(
                "Serving a bundle needs ONNX Runtime, which is not installed: pip install 'recsys-framework[serving]'."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.inter_op_num_threads = 1
        # Waiting threads would take the processor from those that work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = open_session(onnxruntime, str(path), options, providers)
        except BundleError:
            raise
        except Exception as error:  # ONNX Runtime has an error class for each status, without a common base
            raise BundleError(f"{path} is no model that ONNX Runtime reads ({error}). Export it again.") from error
        self.path = path
        self.inputs = {node.name: node.type for node in self._session.get_inputs()}
        self.outputs = [node.name for node in self._session.get_outputs()]

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers that are used, the preferred first."""
        return tuple(self._session.get_providers())

    @property
    def described_inputs(self) -> dict[str, dict[str, Any]]:
        """Type and shape of each input; a size that may vary has a name."""
        return {node.name: {"type": node.type, "shape": node.shape} for node in self._session.get_inputs()}

    @property
    def described_output(self) -> dict[str, dict[str, Any]]:
        """Type and shape of each output."""
        return {node.name: {"type": node.type, "shape": node.shape} for node in self._session.get_outputs()}

    def run(self, onnx_inputs: OnnxInputs) -> npt.NDArray[Any]:
        """The only or the first output for ``onnx_inputs``; those that the model does not have are left out.

        Raises:
            BundleError: an input is missing, or has another type or number of dimensions.
        """
        return self.run_all(onnx_inputs)[self.outputs[0]]

    def run_all(self, onnx_inputs: OnnxInputs) -> dict[str, npt.NDArray[Any]]:
        """All outputs by name, as :meth:`run`."""
        self._check(onnx_inputs)
        given = self._session.run(self.outputs, {name: onnx_inputs[name] for name in self.inputs})
        return dict(zip(self.outputs, given, strict=True))

    def _check(self, onnx_inputs: OnnxInputs) -> None:
        for name, type_ in self.inputs.items():
            if name not in onnx_inputs:
                raise BundleError(f"{self.path.name} needs the inputs {', '.join(self.inputs)}, but {name} is missing.")
            if onnx_inputs[name].dtype != _TYPES[type_]:
                raise BundleError(
                    f"The input {name} of {self.path.name} must be {np.dtype(_TYPES[type_])}, but it is "
                    f"{onnx_inputs[name].dtype}. Convert it."
                )
