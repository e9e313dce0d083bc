"""Configurations of the models in a Triton repository.

::

    recommend      an ensemble of one step, recommender: ids to lists
    similar        the same for similar items
    recommender    Python   the bundle
    query_encoder  ONNX     and ranker, explainer, item_encoder: asked by recommender, where the export says so

All versions of a model share its configuration, and which of them are loaded is part of it. The ensembles name the
version of the recommender, which asks ONNX models of its own version alone, so that an answer never comes from two
bundles; exchanging them is exchanging a few lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recsys.cli.whole_files import whole_file
from recsys.data.encoded_columns import EncodedColumn
from recsys.errors import ExportError
from recsys.runtime.onnx_model import OnnxModel
from recsys_serving.triton.interface import (
    RECOMMEND,
    RECOMMEND_INPUTS,
    RECOMMEND_OUTPUTS,
    RECOMMENDER,
    SIMILAR,
    SIMILAR_INPUTS,
    SIMILAR_OUTPUTS,
    SIMILAR_SPECS,
    TensorSpec,
    column_inputs,
)

#: Requests that are answered together, at most.
MAX_BATCH = 64

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

    with whole_file(path) as partial:
        partial.write_text(text_format.MessageToString(config), encoding="utf-8")


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
    onnx_models: Mapping[str, OnnxModel], user_columns: tuple[EncodedColumn, ...], version: int, python_instances: int
) -> dict[str, Any]:
    """The configurations of the models of one bundle, by their names.

    Args:
        onnx_models: that are models of the server, by their names.
        user_columns: that the models read.
        version: of all of them.
        python_instances: processes of the model in Python.
    """
    asked = RECOMMEND_INPUTS | column_inputs(user_columns)
    similar = {own: (RECOMMEND_INPUTS | SIMILAR_SPECS)[name] for name, own in SIMILAR_INPUTS.items()}
    configs = {name: _onnx(name, model) for name, model in onnx_models.items()}
    configs[RECOMMENDER] = _python(
        RECOMMENDER, asked | SIMILAR_SPECS, RECOMMEND_OUTPUTS | SIMILAR_OUTPUTS, python_instances
    )
    configs[RECOMMEND] = _ensemble(RECOMMEND, asked, RECOMMEND_OUTPUTS, {name: name for name in asked}, version)
    configs[SIMILAR] = _ensemble(SIMILAR, similar, SIMILAR_OUTPUTS, SIMILAR_INPUTS, version)
    for config in configs.values():
        serve_only(config, [version])
    return configs


def serve_only(config: Any, versions: Iterable[int]) -> None:
    """Let a model have these versions loaded, and no other ones."""
    config.version_policy.specific.versions[:] = sorted(set(versions))


def _ensemble(
    name: str,
    inputs: Mapping[str, TensorSpec],
    outputs: Mapping[str, TensorSpec],
    names: Mapping[str, str],
    version: int,
) -> Any:
    """A name for the recommender of one version; ``names`` are those of the inputs by the recommender's own."""
    config = _protocol().ModelConfig(name=name, platform="ensemble", max_batch_size=MAX_BATCH)
    _add_tensors(config, inputs, outputs)
    step = config.ensemble_scheduling.step.add(model_name=RECOMMENDER, model_version=version)
    step.input_map.update(names)
    step.output_map.update({output: output for output in outputs})
    return config


def _python(name: str, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec], instances: int) -> Any:
    config = _protocol().ModelConfig(name=name, backend="python", max_batch_size=MAX_BATCH)
    _add_tensors(config, inputs, outputs)
    for tensor in config.input:
        # The model takes requests of any sizes at once.
        tensor.allow_ragged_batch = list(tensor.dims) == [-1]
    config.instance_group.add(count=instances, kind=_protocol().ModelInstanceGroup.KIND_CPU)
    config.dynamic_batching.SetInParent()
    return config


def _onnx(name: str, model: OnnxModel) -> Any:
    """A model of whole batches: who asks has joined them already."""
    config = _protocol().ModelConfig(name=name, backend="onnxruntime", max_batch_size=0)
    for described, tensors in ((model.described_inputs, config.input), (model.described_output, config.output)):
        for tensor, of in described.items():
            dims = [size if isinstance(size, int) else -1 for size in of["shape"]]
            tensors.add(name=tensor, data_type=_protocol().DataType.Value(ONNX_TYPES[of["type"]]), dims=dims)
    config.instance_group.add(count=1, kind=_protocol().ModelInstanceGroup.KIND_AUTO)
    # Requests run side by side, not the parts of one.
    for threads in ("intra_op_thread_count", "inter_op_thread_count"):
        config.parameters[threads].string_value = "1"
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
