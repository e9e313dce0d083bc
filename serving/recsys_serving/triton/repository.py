"""Writes a bundle as models of a Triton repository, and chooses which of its versions are served.

::

    REPOSITORY/
        recommend/              an ensemble that is asked, of one step; similar/ is another one
            config.pbtxt          which version answers
            20260131120000/       config.pbtxt: how it is where this version answers
        recommender/
            config.pbtxt          which versions are loaded: the one that answers, and the one before
            20260131120000/       see served_bundle
        query_encoder/          and the other ONNX models, where the server runs them as models of its own
            config.pbtxt
            20260131120000/       model.onnx

Needs nothing but itself, and in the server's Python NumPy, PyArrow, ONNX Runtime where models run in the recommender's
process, and FAISS for bundles with an index of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

from recsys.cli.commands import command_line
from recsys.cli.output_directory import make_output_directory, partial_directory
from recsys.errors import ExportError
from recsys.runtime.bundle import Bundle
from recsys.runtime.manifest import MANIFEST
from recsys.runtime.onnx_model import OnnxModel
from recsys_serving.triton.dynamic_output import write_with_dynamic_output
from recsys_serving.triton.interface import RECOMMEND, RECOMMENDER, SIMILAR
from recsys_serving.triton.model_config import configs_of, read_config, serve_only, write_config
from recsys_serving.triton.repository_check import CONFIG, check_repository, loaded_versions, versions_of
from recsys_serving.triton.served_bundle import (
    BUNDLE,
    OnnxSignature,
    model_name,
    read_onnx_models,
    version_of,
    write_onnx_models,
)
from recsys_serving.triton.vendored_modules import copy_modules, modules_needed

_PROGRAM = Path(__file__).parent / "models" / f"{RECOMMENDER}.py"
MODEL_ONNX = "model.onnx"
MODEL_PY = "model.py"

#: The models that are asked.
ENSEMBLES = (SIMILAR, RECOMMEND)

#: Where the ONNX models of a bundle run: as models of the server, or in the process of the recommender.
OnnxPlace = Literal["triton", "in_process"]


def write_repository(
    bundle: Bundle,
    repository: Path,
    version: int | None = None,
    python_instances: int = 1,
    models: OnnxPlace = "in_process",
) -> int:
    """Write the models of a bundle.

    A new repository is there whole or not at all. To one that is there the version is added beside the others, each
    model's directory at once; the version that answers stays the same until :func:`serve_version`.

    Args:
        bundle: what is served.
        repository: a new directory, or one that this wrote.
        version: of the models; None: :func:`version_of` the bundle.
        python_instances: processes that answer; each holds the bundle.
        models: where the bundle's ONNX models run.

    Returns:
        The version.

    Raises:
        ExportError: the version is there already or no positive number, there is no such place for models, or the
            repository is of another form.
        RunError: the directory cannot be made.
    """
    version = version_of(bundle) if version is None else version
    if not 0 < version < 2**63 or python_instances < 1:
        raise ExportError(
            f"version and instances must be whole numbers of at least 1, but they are {version} and {python_instances}."
        )
    if models not in get_args(OnnxPlace):
        raise ExportError(f"models must be {' or '.join(get_args(OnnxPlace))}, but it is {models!r}.")
    if (repository / RECOMMEND / str(version)).exists():
        raise ExportError(f"{repository} has version {version} already. Choose another version= or output=.")
    partial = partial_directory(repository)
    make_output_directory(partial, "model repository", "output=")
    try:
        _write(bundle, partial, version, python_instances, models)
        check_repository(partial)
        if not repository.exists():
            os.replace(partial, repository)
            return version
        _check_alike(partial, repository)
        _add_version(partial, repository, version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return version


def stage_version(repository: Path, version: int) -> list[str]:
    """Let the models of a version be loaded beside those of the one that answers, and no other ones.

    Returns:
        The models, in the order in which they are loaded.

    Raises:
        ExportError: there is no such version, or no such repository.
    """
    before = served_version(repository)
    require_version(repository, version)
    onnx_models = read_onnx_models(repository / RECOMMENDER / str(version))
    names = [*(model_name(file) for file in onnx_models), RECOMMENDER]
    for name in names:
        path = repository / name / CONFIG
        config = read_config(path)
        serve_only(config, {version, before} & set(versions_of(repository / name)))
        write_config(config, path)
    return names


def serve_version(repository: Path, version: int) -> None:
    """Let a version answer, once a server loads what the repository says; the one before stays loaded beside it.

    Raises:
        ExportError: there is no such version, or no such repository.
    """
    stage_version(repository, version)
    for name in ENSEMBLES:
        write_config(read_config(repository / name / str(version) / CONFIG), repository / name / CONFIG)


def served_version(repository: Path) -> int:
    """The version that answers, once a server has loaded what the repository says.

    Raises:
        ExportError: there is no repository of ours.
    """
    path = repository / RECOMMEND / CONFIG
    if not path.is_file():
        raise ExportError(
            f"A repository with the model {RECOMMEND} is required, but {repository} has none. Make one with "
            f"{command_line('export_triton')}."
        )
    return loaded_versions(repository, RECOMMEND, read_config(path))[-1]


def require_version(repository: Path, version: int) -> None:
    """Require that a repository has a version.

    Raises:
        ExportError: it does not.
    """
    there = versions_of(repository / RECOMMEND)
    if version not in there:
        raise ExportError(
            f"{repository} must have version {version} to serve it, but has {', '.join(map(str, there))}. Choose one "
            "of these, or export the bundle to it."
        )


def _write(bundle: Bundle, directory: Path, version: int, python_instances: int, models: OnnxPlace) -> None:
    files = [file for file in bundle.manifest.files if file.endswith(".onnx")] if models == "triton" else []
    opened = {file: _write_onnx(bundle, file, directory / model_name(file) / str(version)) for file in files}
    by_name = {model_name(file): model for file, model in opened.items()}
    for name, config in configs_of(by_name, bundle.user_columns, version, python_instances).items():
        (directory / name / str(version)).mkdir(parents=True, exist_ok=True)
        write_config(config, directory / name / CONFIG)
        if name in ENSEMBLES:
            write_config(config, directory / name / str(version) / CONFIG)
    _write_recommender(bundle, opened, directory / RECOMMENDER / str(version))


def _write_onnx(bundle: Bundle, file: str, target: Path) -> OnnxModel:
    """An ONNX model as one of the server."""
    target.mkdir(parents=True)
    write_with_dynamic_output(bundle.directory / file, target / MODEL_ONNX)
    return OnnxModel(target / MODEL_ONNX)


def _write_recommender(bundle: Bundle, onnx_models: dict[str, OnnxModel], target: Path) -> None:
    """The model in Python with the modules that it imports and the bundle."""
    shutil.copyfile(_PROGRAM, target / MODEL_PY)
    copy_modules(modules_needed([_PROGRAM]), target)
    write_onnx_models(
        target,
        {
            file: OnnxSignature(list(one.described_inputs), list(one.described_output))
            for file, one in onnx_models.items()
        },
    )
    (target / BUNDLE).mkdir()
    for file in (MANIFEST, *bundle.manifest.files):
        if file not in onnx_models:
            shutil.copyfile(bundle.directory / file, target / BUNDLE / file)


def _add_version(new: Path, repository: Path, version: int) -> None:
    """Move the directories of a version to those of the others; what is asked comes last, and says that it is there.

    So a process that is killed in between leaves directories that nothing loads, and the next one replaces them.
    """
    for model in sorted(new.iterdir(), key=lambda path: (path.name in ENSEMBLES, path.name == RECOMMEND)):
        target = repository / model.name
        if target.exists():
            shutil.rmtree(target / str(version), ignore_errors=True)
            os.replace(model / str(version), target / str(version))
        else:
            os.replace(model, target)


def _check_alike(new: Path, repository: Path) -> None:
    """Require that models which get another version keep their inputs and outputs, which all versions share."""
    served_version(repository)
    for name in _shared_models(new, repository):
        ours, theirs = (_signature(read_config(root / name / CONFIG)) for root in (new, repository))
        if ours != theirs:
            raise ExportError(
                f"The model {name} of this bundle has other inputs or outputs than that in {repository}, with which it "
                "would share a configuration. Choose a new output=."
            )


def _shared_models(new: Path, repository: Path) -> Iterable[str]:
    names = {path.parent.name for path in new.glob(f"*/{CONFIG}")}
    return sorted(names & {path.parent.name for path in repository.glob(f"*/{CONFIG}")})


def _signature(config: Any) -> tuple[Any, ...]:
    """What all versions of a model have in common."""
    return config.backend, config.platform, list(config.input), list(config.output)
