"""Configurations of the models in a Triton repository.

::

    recommend      an ensemble: ids to ids; its steps are
      lookup         Python   ids to indices, histories of known users, padding
      query_encoder  ONNX     a history to a query
      candidates     Python   a query to items that may be recommended; the list itself where no ranker follows
      ranker         ONNX     candidates to scores
      answer         Python   scores to the list

All versions of a model share its configuration, and which of them are loaded is part of it. The ensemble names the
version of each step, so that an answer never comes from two bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import ExportError
from recsys.runtime.onnx_inputs import CANDIDATES, QUERY, SCORE, feature_input
from recsys.runtime.onnx_model import OnnxModel
from recsys_serving.triton.separate_stages import MIN_WIDTH

RECOMMEND = "recommend"
LOOKUP = "lookup"
QUERY_ENCODER = "query_encoder"
FIND = "candidates"
RANKER = "ranker"
ANSWER = "answer"

#: Requests that are answered together, at most.
MAX_BATCH = 64


class TensorSpec(NamedTuple):
    """What a tensor is of.

    Args:
        type: its numbers or texts, as configurations name them.
        size: of one request; -1: any.
        optional: whether it may be left out.
    """

    type: str
    size: int
    optional: bool = False


#: Inputs of the ensemble beside the user's columns. Ids are texts; where those of the data are whole numbers they may
#: come as such.
REQUEST = {
    "user_id": TensorSpec("STRING", 1, optional=True),
    "user_id_number": TensorSpec("INT64", 1, optional=True),
    "history": TensorSpec("STRING", -1, optional=True),
    "history_number": TensorSpec("INT64", -1, optional=True),
    "ratings": TensorSpec("FP32", -1, optional=True),
    "timestamps": TensorSpec("INT64", -1, optional=True),
    "exclude_items": TensorSpec("STRING", -1, optional=True),
    "blocked_number": TensorSpec("INT64", -1, optional=True),
    "k": TensorSpec("INT64", 1, optional=True),
}
#: Outputs of the ensemble.
RESPONSE = {
    "item_ids": TensorSpec("STRING", -1),
    "scores": TensorSpec("FP32", -1),
    "personalized": TensorSpec("BOOL", 1),
}

_LISTS = {name: RESPONSE[name] for name in ("item_ids", "scores")}
_FEEDS = {
    "user_index": TensorSpec("INT64", 1),
    "history": TensorSpec("INT64", -1),
    "rating": TensorSpec("FP32", -1),
    "timestamp": TensorSpec("INT64", -1),
    CANDIDATES: TensorSpec("INT64", -1),
}
_FOUND = {
    CANDIDATES: TensorSpec("INT64", -1),
    "candidate_scores": TensorSpec("FP32", -1),
    "personalized": TensorSpec("BOOL", 1),
}
_EXCLUDED = {"excluded": TensorSpec("INT64", -1)}
_K = {"k": TensorSpec("INT64", 1)}
_ENCODED = {QUERY: TensorSpec("FP32", -1)}
_SCORED = {SCORE: TensorSpec("FP32", -1)}

#: Types of tensors: in ONNX models, and in configurations.
ONNX_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}


def write_config(config: Any, path: Path) -> None:
    """Write a configuration, whole or not at all."""
    from google.protobuf import text_format

    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text_format.MessageToString(config), encoding="utf-8")
    partial.replace(path)


def read_config(path: Path) -> Any:
    """Read a configuration.

    Raises:
        ExportError: it is missing, or says what no configuration may say.
    """
    config = _protocol().ModelConfig()
    from google.protobuf import text_format

    try:
        text_format.Parse(path.read_text(encoding="utf-8"), config)
    except OSError as error:
        raise ExportError(
            f"A model of a repository needs a configuration, but {path} cannot be read ({error.strerror})."
        ) from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} is no configuration of a Triton model: {error}. Export it again.") from None
    return config


def configs_of(
    encoder: OnnxModel,
    ranker: OnnxModel | None,
    user_columns: Sequence[EncodedColumn],
    version: int,
    max_batch: int,
    python_instances: int,
) -> dict[str, Any]:
    """The configurations of the models of one bundle, by their names.

    Args:
        encoder: the query encoder.
        ranker: None where there is none.
        user_columns: that they read.
        version: of all of them.
        max_batch: requests that are answered together.
        python_instances: processes of each model in Python.
    """
    told = {feature_input(column.name): _as_told(column) for column in user_columns}
    onnx_inputs = _FEEDS | {feature_input(column.name): _as_read(column) for column in user_columns}
    looked_up = {name: onnx_inputs[name] for name in onnx_inputs if name != CANDIDATES} | _EXCLUDED | _K
    python = {
        LOOKUP: (REQUEST | told, looked_up),
        FIND: (_ENCODED | _EXCLUDED | _K, _FOUND | _LISTS),
        ANSWER: (_FOUND | _SCORED | _K, _LISTS),
    }
    onnx = {QUERY_ENCODER: (encoder, _ENCODED)}
    steps = [LOOKUP, QUERY_ENCODER, FIND]
    if ranker is not None:
        onnx[RANKER] = ranker, _SCORED
        steps += [RANKER, ANSWER]
    configs = {
        name: _python(name, *python[name], max_batch, python_instances)
        if name in python
        else _onnx(name, *onnx[name], onnx_inputs, max_batch)
        for name in steps
    }
    configs[RECOMMEND] = _ensemble(REQUEST | told, configs, version, max_batch)
    for config in configs.values():
        serve_only(config, [version])
    return configs


def serve_only(config: Any, versions: Iterable[int]) -> None:
    """Let a model have these versions loaded, and no other ones."""
    config.version_policy.specific.versions[:] = sorted(set(versions))


def _as_told(column: EncodedColumn) -> TensorSpec:
    """A column of users as it is told: numbers, or texts, of which an empty one tells nothing."""
    if column.kind == FeatureKind.NUMBER:
        return TensorSpec("FP32", 1, optional=True)
    return TensorSpec("STRING", -1 if column.kind == FeatureKind.MULTI_VALUED else 1, optional=True)


def _as_read(column: EncodedColumn) -> TensorSpec:
    """A column of users as models read it."""
    if column.kind == FeatureKind.NUMBER:
        return TensorSpec("FP32", 1)
    return TensorSpec("INT64", 1 if column.kind == FeatureKind.CATEGORICAL else -1)


def _ensemble(request: Mapping[str, TensorSpec], steps: Mapping[str, Any], version: int, max_batch: int) -> Any:
    """The models one after the other."""
    config = _protocol().ModelConfig(name=RECOMMEND, platform="ensemble", max_batch_size=max_batch)
    _add_tensors(config, request, RESPONSE)
    makes_lists = list(steps)[-1]
    read = {tensor.name for step in steps.values() for tensor in step.input}
    for name, step in steps.items():
        added = config.ensemble_scheduling.step.add(model_name=name, model_version=version)
        for tensor in step.input:
            added.input_map[tensor.name] = tensor.name if name == LOOKUP else _between(tensor.name)
        for tensor in step.output:
            # The server refuses what nobody reads.
            if name == makes_lists if tensor.name in _LISTS else tensor.name in read | set(RESPONSE):
                added.output_map[tensor.name] = _between(tensor.name)
    return config


def _between(name: str) -> str:
    """The name of a tensor that one step gives to others; an answer goes out as it is called."""
    return name if name in RESPONSE else f"step_{name}"


def _python(
    name: str, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec], max_batch: int, instances: int
) -> Any:
    config = _protocol().ModelConfig(name=name, backend="python", max_batch_size=max_batch)
    _add_tensors(config, inputs, outputs)
    for tensor in config.input:
        # The models take requests of any sizes at once.
        tensor.allow_ragged_batch = list(tensor.dims) == [-1]
    config.instance_group.add(count=instances, kind=_protocol().ModelInstanceGroup.KIND_CPU)
    config.dynamic_batching.SetInParent()
    return config


def _onnx(
    name: str,
    model: OnnxModel,
    outputs: Mapping[str, TensorSpec],
    onnx_inputs: Mapping[str, TensorSpec],
    max_batch: int,
) -> Any:
    config = _protocol().ModelConfig(name=name, backend="onnxruntime", max_batch_size=max_batch)
    _add_tensors(config, {tensor: onnx_inputs[tensor] for tensor in model.inputs}, outputs)
    shapes = {tensor: described["shape"] for tensor, described in model.described_inputs.items()}
    for tensor in config.input:
        if len(shapes[tensor.name]) == 1:  # [batch, 1] between the steps, [batch] for the model
            tensor.reshape.SetInParent()
    config.instance_group.add(count=1, kind=_protocol().ModelInstanceGroup.KIND_AUTO)
    config.dynamic_batching.SetInParent()
    # Requests run side by side, not the parts of one.
    for threads in ("intra_op_thread_count", "inter_op_thread_count"):
        config.parameters[threads].string_value = "1"
    warm_up = config.model_warmup.add(name="one request", batch_size=1)
    for tensor in config.input:
        example = warm_up.inputs[tensor.name]
        example.data_type, example.zero_data = tensor.data_type, True
        example.dims[:] = [MIN_WIDTH if size < 0 else size for size in tensor.dims]
    return config


def _add_tensors(config: Any, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]) -> None:
    protocol = _protocol()
    for name, of in inputs.items():
        type_ = protocol.DataType.Value(f"TYPE_{of.type}")
        config.input.add(name=name, data_type=type_, dims=[of.size], optional=of.optional)
    for name, of in outputs.items():
        config.output.add(name=name, data_type=protocol.DataType.Value(f"TYPE_{of.type}"), dims=[of.size])


def _protocol() -> Any:
    """What Triton calls things.

    Raises:
        ExportError: Triton's client is not installed.
    """
    try:
        from tritonclient.grpc import model_config_pb2
    except ImportError as error:
        raise ExportError(
            "Configurations of Triton models need its client, which is not installed: "
            "pip install 'recsys-framework[serving]'."
        ) from error
    return model_config_pb2
