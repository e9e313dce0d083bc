"""The ``onnxruntime`` backend of Triton, written in Python, for servers that lack the one written in C++.

Serves every model whose configuration names that backend: it opens ``model.onnx`` in the directory of the version and
answers with what ONNX Runtime computes. The batches of the dynamic batcher are joined where their shapes allow it.
What a configuration asks for and this backend does not do is refused when the model is loaded.

Parameters of a configuration, named as those of the other backend: ``intra_op_thread_count`` (default 1: requests, not
operators, are what runs side by side) and ``inter_op_thread_count`` (default 1).

An instance of the kind ``KIND_CPU`` computes on the processor, one of ``KIND_GPU`` on its GPU, and one of ``KIND_AUTO``
on a GPU where Triton has one and ONNX Runtime can use it.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import triton_python_backend_utils as pb_utils

#: Types of tensors: in configurations, and in ONNX models.
_ONNX_TYPES = {
    "TYPE_BOOL": "tensor(bool)",
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_UINT16": "tensor(uint16)",
    "TYPE_UINT32": "tensor(uint32)",
    "TYPE_UINT64": "tensor(uint64)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
    "TYPE_STRING": "tensor(string)",
}

#: What a configuration may say of a tensor and this backend does not do.
_UNKNOWN = ("optional", "is_shape_tensor", "allow_ragged_batch")

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

_THREADS = ("intra_op_thread_count", "inter_op_thread_count")


class TritonPythonModel:
    """One instance of one version of a model; Triton makes, asks and ends it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model and compare it with its configuration.

        Raises:
            TritonModelException: they do not fit together, or the configuration asks for what is not done here.
        """
        config = json.loads(args["model_config"])
        self._name = config["name"]
        self._batched = config.get("max_batch_size", 0) > 0
        path = os.path.join(
            args["model_repository"], args["model_version"], config.get("default_model_filename") or "model.onnx"
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads(config)
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=self._providers(args))
        except Exception as error:
            raise pb_utils.TritonModelException(f"The ONNX model {path} cannot be opened: {error}") from error
        if _requires_gpu(args) and _CUDA not in self._session.get_providers():
            raise pb_utils.TritonModelException(
                f"{self._name} is to run on a GPU (KIND_GPU), but ONNX Runtime cannot use CUDA here: its libraries or "
                "the driver do not fit. Mend them, or state KIND_AUTO or KIND_CPU."
            )
        self._inputs = [str(tensor["name"]) for tensor in config["input"]]
        self._outputs = [str(tensor["name"]) for tensor in config["output"]]
        self._check("input", config["input"], self._session.get_inputs(), all_required=True)
        self._check("output", config["output"], self._session.get_outputs(), all_required=False)
        self._texts = {str(tensor["name"]) for tensor in config["input"] if tensor["data_type"] == "TYPE_STRING"}

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer requests, those of equal shapes together.

        One that fails has an error for an answer, and takes no other one down with it.
        """
        answers: list[Any] = [None] * len(requests)
        fed: list[dict[str, npt.NDArray[Any]]] = [{} for _ in requests]
        groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
        for place, request in enumerate(requests):
            try:
                fed[place] = self._read(request)
            except UnicodeDecodeError as error:
                answers[place] = _error(f"Texts for the model {self._name} must be UTF-8, and are not: {error}")
                continue
            # Without batching nothing may be joined: the first dimension then is one of the model's own.
            shapes = tuple(a.shape[1:] if self._batched else (place, *a.shape) for a in fed[place].values())
            groups.setdefault(shapes, []).append(place)
        for places in groups.values():
            for place, answer in zip(places, self._answers([fed[place] for place in places]), strict=True):
                answers[place] = answer
        return answers

    def _answers(self, fed: list[dict[str, npt.NDArray[Any]]]) -> list[Any]:
        """One response for each request of equal shapes."""
        if len(fed) == 1:
            return [self._answer(fed[0])]
        counts = [len(next(iter(arrays.values()))) for arrays in fed]
        joined = {name: np.concatenate([arrays[name] for arrays in fed]) for name in self._inputs}
        try:
            outputs = self._run(joined)
        except Exception:
            return [self._answer(arrays) for arrays in fed]  # one by one, to find out whose fault it is
        ends = np.cumsum(counts)[:-1]
        parts = [np.split(output, ends) for output in outputs]
        return [self._response(list(own)) for own in zip(*parts, strict=True)]

    def _answer(self, arrays: dict[str, npt.NDArray[Any]]) -> Any:
        try:
            return self._response(self._run(arrays))
        except Exception as error:
            shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
            return _error(f"The model {self._name} cannot be run with inputs of the shapes {shapes}: {error}")

    def _run(self, arrays: dict[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        return list(self._session.run(self._outputs, arrays))

    def _read(self, request: Any) -> dict[str, npt.NDArray[Any]]:
        arrays = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
        for name in self._texts:
            texts = [value.decode("utf-8") for value in arrays[name].ravel()]
            arrays[name] = np.array(texts, dtype=object).reshape(arrays[name].shape)
        return arrays

    def _response(self, outputs: list[npt.NDArray[Any]]) -> Any:
        tensors = [
            pb_utils.Tensor(name, np.ascontiguousarray(output))
            for name, output in zip(self._outputs, outputs, strict=True)
        ]
        return pb_utils.InferenceResponse(output_tensors=tensors)

    def _providers(self, args: dict[str, str]) -> list[Any]:
        """The execution providers for the kind of this instance, the preferred first."""
        if args.get("model_instance_kind", "AUTO") == "CPU":
            return [_CPU]
        available = onnxruntime.get_available_providers()
        if _CUDA in available:
            return [(_CUDA, {"device_id": args.get("model_instance_device_id", "0")}), _CPU]
        if _requires_gpu(args):
            raise pb_utils.TritonModelException(
                f"{self._name} is to run on a GPU (KIND_GPU), but ONNX Runtime offers only {', '.join(available)} "
                "here. Install onnxruntime-gpu in its place, or state KIND_AUTO or KIND_CPU."
            )
        return [_CPU]

    def _threads(self, config: dict[str, Any]) -> tuple[int, int]:
        """Threads within an operator and of operators side by side."""
        parameters = config.get("parameters", {})
        counts = [str(parameters.get(name, {}).get("string_value", "1")) for name in _THREADS]
        if not all(count.isdecimal() for count in counts):
            raise pb_utils.TritonModelException(
                f"{' and '.join(_THREADS)} of {self._name} must be whole numbers, but they are {' and '.join(counts)}."
            )
        return int(counts[0]), int(counts[1])

    def _check(self, kind: str, stated: list[dict[str, Any]], found: list[Any], all_required: bool) -> None:
        """Compare the inputs or outputs of the configuration with those of the model."""
        there = {tensor.name: tensor for tensor in found}
        names = [str(tensor["name"]) for tensor in stated]
        if not set(names) <= set(there) or (all_required and set(names) != set(there)):
            raise pb_utils.TritonModelException(
                f"The configuration of {self._name} states the {kind}s {', '.join(names)}, but its ONNX model has "
                f"{', '.join(there)}."
            )
        for tensor in stated:
            name = tensor["name"]
            unknown = [what for what in _UNKNOWN if tensor.get(what)]
            if unknown:
                raise pb_utils.TritonModelException(
                    f"{', '.join(unknown)} of the {kind} {name} of {self._name} is not known to this backend. Leave it "
                    "out of the configuration."
                )
            type_ = _ONNX_TYPES.get(tensor["data_type"])
            if type_ != there[name].type:
                raise pb_utils.TritonModelException(
                    f"The configuration of {self._name} states {tensor['data_type']} for the {kind} {name}, but the "
                    f"ONNX model has {there[name].type}."
                )
            # What a tensor is reshaped to, the server has done already, or does with the answer.
            stated_dims = tensor["reshape"]["shape"] if tensor.get("reshape") else tensor["dims"]
            dims = [-1] * self._batched + [int(dim) for dim in stated_dims]
            shape = [dim if isinstance(dim, int) else -1 for dim in there[name].shape]
            if len(dims) != len(shape) or any(of >= 0 and dim != of for dim, of in zip(dims, shape, strict=True)):
                raise pb_utils.TritonModelException(
                    f"The configuration of {self._name} states the shape {dims} for the {kind} {name}, batch included, "
                    f"but that of the ONNX model is {shape}; -1 is any number."
                )


def _requires_gpu(args: dict[str, str]) -> bool:
    """Whether the configuration itself says KIND_GPU.

    Triton tells an instance of KIND_AUTO that it is of the kind GPU where the machine has one, although ONNX Runtime
    may be a build for processors there; so what was asked for is read from the file.
    """
    if args.get("model_instance_kind") != "GPU":
        return False
    path = os.path.join(args["model_repository"], "config.pbtxt")
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8") as file:
        return "KIND_GPU" in file.read()


def _error(message: str) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
