"""Checks that the models of a Triton repository are what their configurations say, before a server reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recsys.cli.commands import command_line
from recsys.errors import ExportError
from recsys.runtime.onnx_model import OnnxModel
from recsys_serving.triton.model_config import ONNX_TYPES, read_config

CONFIG = "config.pbtxt"


def check_repository(repository: Path) -> None:
    """Require a repository that a server can load.

    Configurations must be readable and name what is there; ONNX models must have the inputs and outputs, types and
    sizes that are stated; steps of an ensemble must exist, and what goes from one to the other must be of one type.

    Raises:
        ExportError: something is missing, or does not fit together.
    """
    configs = {path.parent.name: read_config(path) for path in sorted(repository.glob(f"*/{CONFIG}"))}
    if not configs:
        raise ExportError(
            f"A model repository is required, with a {CONFIG} in the directory of each model, but {repository} has "
            f"none. Make one with {command_line('export_triton')}."
        )
    for name, config in configs.items():
        if config.name not in ("", name):
            raise ExportError(
                f"The configuration of the model {name} in {repository} calls it {config.name}. Give it one name."
            )
        for version in loaded_versions(repository, name, config):
            _check_version(repository / name / str(version), config)
        if config.platform == "ensemble":
            _check_ensemble(name, config, configs, repository)


def loaded_versions(repository: Path, name: str, config: Any) -> list[int]:
    """The versions of a model that a server loads, ascending.

    Raises:
        ExportError: one of them does not exist, or none does.
    """
    there = versions_of(repository / name)
    policy = config.version_policy
    if policy.WhichOneof("policy_choice") == "specific":
        stated = sorted(policy.specific.versions)
        missing = [version for version in stated if version not in there]
    elif policy.WhichOneof("policy_choice") == "all":
        stated, missing = there, []
    else:
        stated, missing = there[-max(1, policy.latest.num_versions) :], []
    if missing or not stated:
        raise ExportError(
            f"The model {name} in {repository} must have {f'version {missing[0]}' if missing else 'a version'}, but "
            f"has {', '.join(map(str, there)) or 'none'}. Export it again."
        )
    return stated


def versions_of(model: Path) -> list[int]:
    """The versions of a model on disk, ascending."""
    return sorted(int(path.name) for path in model.iterdir() if path.is_dir() and path.name.isdecimal())


def _check_version(directory: Path, config: Any) -> None:
    if config.platform == "ensemble":
        return
    onnx = config.backend == "onnxruntime" or config.platform == "onnxruntime_onnx"
    file = directory / (config.default_model_filename or ("model.onnx" if onnx else "model.py"))
    if not file.is_file():
        raise ExportError(f"A model is required in {file}, but there is none. Export it again.")
    if onnx:
        model = OnnxModel(file)
        _check_tensors(file, "input", config.input, model.described_inputs, config.max_batch_size > 0)
        _check_tensors(file, "output", config.output, model.described_output, config.max_batch_size > 0)


def _check_tensors(
    file: Path, kind: str, stated: Iterable[Any], found: Mapping[str, Mapping[str, Any]], batched: bool
) -> None:
    names = [tensor.name for tensor in stated]
    if set(names) != set(found):
        raise ExportError(
            f"The configuration of {file} states the {kind}s {', '.join(names) or 'none'}, but the model has "
            f"{', '.join(found)}. Export it again."
        )
    for tensor in stated:
        there = found[tensor.name]
        type_ = type_name(tensor)
        if ONNX_TYPES.get(there["type"]) != type_:
            raise ExportError(
                f"The configuration of {file} states {type_} for the {kind} {tensor.name}, but the model has "
                f"{there['type']}. Export it again."
            )
        dims = list(tensor.reshape.shape) if tensor.HasField("reshape") else list(tensor.dims)
        dims = [-1] * batched + dims
        shape = [size if isinstance(size, int) else -1 for size in there["shape"]]
        if len(dims) != len(shape) or any(size not in (-1, dim) for dim, size in zip(dims, shape, strict=True)):
            raise ExportError(
                f"The configuration of {file} states the shape {dims} for the {kind} {tensor.name}, batch included, "
                f"but that of the model is {shape}; -1 is any size. Export it again."
            )


def _check_ensemble(name: str, config: Any, configs: Mapping[str, Any], repository: Path) -> None:
    types = {tensor.name: type_name(tensor) for tensor in config.input}
    for step in config.ensemble_scheduling.step:
        model = configs.get(step.model_name)
        if model is None:
            raise ExportError(
                f"The ensemble {name} has the step {step.model_name}, but {repository} has no such model. Its models "
                f"are {', '.join(configs)}."
            )
        loaded = loaded_versions(repository, step.model_name, model)
        if step.model_version not in (-1, *loaded):
            raise ExportError(
                f"The ensemble {name} needs version {step.model_version} of {step.model_name}, but its configuration "
                f"has {', '.join(map(str, loaded))} loaded."
            )
        inputs = {tensor.name: tensor for tensor in model.input}
        outputs = {tensor.name: tensor for tensor in model.output}
        for key in [*step.input_map, *step.output_map]:
            if key not in (inputs if key in step.input_map else outputs):
                raise ExportError(f"The ensemble {name} names {key} of {step.model_name}, which has no such tensor.")
        missing = [key for key, tensor in inputs.items() if not tensor.optional and key not in step.input_map]
        if missing:
            raise ExportError(f"The ensemble {name} gives no {missing[0]} to {step.model_name}, which requires it.")
        for key, value in step.input_map.items():
            _require_type(name, value, types.get(value), inputs[key], step.model_name)
        types.update({value: type_name(outputs[key]) for key, value in step.output_map.items()})
    for tensor in config.output:
        _require_type(name, tensor.name, types.get(tensor.name), tensor, "the answer")


def _require_type(ensemble: str, value: str, found: str | None, tensor: Any, reader: str) -> None:
    if found != type_name(tensor):
        raise ExportError(
            f"The ensemble {ensemble} gives {value} to {reader}, where {tensor.name} must be {type_name(tensor)}, but "
            f"it {'comes from no step before' if found is None else f'is {found}'}."
        )


def type_name(tensor: Any) -> str:
    """The type of a tensor in a configuration, by its name."""
    field = tensor.DESCRIPTOR.fields_by_name["data_type"]
    return str(field.enum_type.values_by_number[tensor.data_type].name)
