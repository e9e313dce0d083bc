"""Writes a bundle as models of a Triton repository, and chooses which of its versions are served.

::

    REPOSITORY/
        recommend/              the ensemble that is asked; see triton_config for the others
            config.pbtxt          which version answers
            20260131120000/       config.pbtxt: how it is where this version answers; bundle/ (titles)
        lookup/
            config.pbtxt          which versions are loaded: the one that answers, and the one before
            20260131120000/       model.py, recsys/ (the modules that it imports), bundle/ (the files that it reads)
        query_encoder/
            config.pbtxt
            20260131120000/       model.onnx

Needs nothing but itself, and in the server's Python NumPy, PyArrow and, for bundles with an index of it, FAISS.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recsys.cli.commands import command_line
from recsys.cli.output_directory import make_output_directory
from recsys.errors import ExportError
from recsys.runtime.bundle import (
    HISTORIES,
    INDEX,
    ITEM_VOCABULARY,
    ITEMS,
    POPULARITY,
    USER_COLUMNS,
    USER_VOCABULARY,
    USERS,
    Bundle,
)
from recsys.runtime.bundle import QUERY_ENCODER as ENCODER_FILE
from recsys.runtime.bundle import RANKER as RANKER_FILE
from recsys.runtime.manifest import MANIFEST
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.onnx_stages import MAX_NUMBERS
from recsys.runtime.stored_vectors import SCALES, VECTORS
from recsys_serving.triton.dynamic_output import write_with_open_size
from recsys_serving.triton.model_config import (
    ANSWER,
    FIND,
    LOOKUP,
    MAX_BATCH,
    QUERY_ENCODER,
    RANKER,
    RECOMMEND,
    configs_of,
    read_config,
    serve_only,
    write_config,
)
from recsys_serving.triton.repository_check import CONFIG, check_repository, loaded_versions, versions_of
from recsys_serving.triton.separate_stages import padded_width
from recsys_serving.triton.vendored_modules import copy_modules, modules_needed

_MODELS = Path(__file__).parent / "triton_models"
MODEL_ONNX = "model.onnx"
MODEL_PY = "model.py"
BUNDLE = "bundle"

#: What each model in Python reads of the bundle, where the bundle has it.
_FILES = {
    LOOKUP: (ITEM_VOCABULARY, USER_VOCABULARY, HISTORIES, USERS, USER_COLUMNS),
    FIND: (ITEM_VOCABULARY, POPULARITY, INDEX, VECTORS, SCALES),
    ANSWER: (ITEM_VOCABULARY,),
}

#: What is beside the ensemble for people who read its answers.
_FOR_PEOPLE = (ITEM_VOCABULARY, ITEMS)


def version_of(bundle: Bundle) -> int:
    """The version of a bundle: when it was made, as a number of 14 digits.

    Example:
        A bundle made at 2026-01-31T12:00:00 is version 20260131120000.
    """
    return int(re.sub(r"\D", "", bundle.manifest.created)[:14])


def write_repository(bundle: Bundle, repository: Path, version: int | None = None, python_instances: int = 1) -> int:
    """Write the models of a bundle.

    A new repository is there whole or not at all. To one that is there the version is added beside the others, each
    model's directory at once; the version that answers stays the same until :func:`serve_version`.

    Args:
        bundle: what is served.
        repository: a new directory, or one that this wrote.
        version: of the models; None: :func:`version_of` the bundle.
        python_instances: processes of each model in Python.

    Returns:
        The version.

    Raises:
        ExportError: the version is there already or no positive number, or the repository is of another form.
        RunError: the directory cannot be made.
    """
    version = version_of(bundle) if version is None else version
    if not 0 < version < 2**63 or python_instances < 1:
        raise ExportError(
            f"version and instances must be whole numbers of at least 1, but they are {version} and {python_instances}."
        )
    if (repository / RECOMMEND / str(version)).exists():
        raise ExportError(f"{repository} has version {version} already. Choose another version= or output=.")
    partial = repository.with_name(f".{repository.name}.partial-{os.getpid()}")
    make_output_directory(partial, "model repository", "output=")
    try:
        _write(bundle, partial, version, python_instances)
        check_repository(partial)
        if not repository.exists():
            os.replace(partial, repository)
            return version
        _check_alike(partial, repository)
        for model in sorted(partial.iterdir()):
            (repository / model.name).mkdir(exist_ok=True)
            os.replace(model / str(version), repository / model.name / str(version))
            if not (repository / model.name / CONFIG).exists():
                os.replace(model / CONFIG, repository / model.name / CONFIG)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return version


def stage_version(repository: Path, version: int) -> list[str]:
    """Let the models of a version be loaded beside those of the one that answers, and no other ones.

    Returns:
        The models, in the order of the steps.

    Raises:
        ExportError: there is no such version, or no such repository.
    """
    before = served_version(repository)
    steps = [step.model_name for step in _ensemble(repository, version).ensemble_scheduling.step]
    for name in steps:
        path = repository / name / CONFIG
        config = read_config(path)
        serve_only(config, {version, before} & set(versions_of(repository / name)))
        write_config(config, path)
    return steps


def serve_version(repository: Path, version: int) -> None:
    """Let a version answer, once a server loads what the repository says; the one before stays loaded beside it.

    Raises:
        ExportError: there is no such version, or no such repository.
    """
    steps = stage_version(repository, version)
    ensemble = _ensemble(repository, version)
    batches = [read_config(repository / name / CONFIG).max_batch_size for name in steps]
    ensemble.max_batch_size = min([ensemble.max_batch_size, *batches])
    write_config(ensemble, repository / RECOMMEND / CONFIG)


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


def _ensemble(repository: Path, version: int) -> Any:
    """The configuration of the ensemble where a version answers."""
    there = versions_of(repository / RECOMMEND)
    if version not in there:
        raise ExportError(
            f"{repository} must have version {version} to serve it, but has {', '.join(map(str, there))}. Choose one "
            "of these, or export the bundle to it."
        )
    return read_config(repository / RECOMMEND / str(version) / CONFIG)


def _write(bundle: Bundle, directory: Path, version: int, python_instances: int) -> None:
    """The models of one bundle, as a repository of their own."""
    onnx = {QUERY_ENCODER: ENCODER_FILE} | ({RANKER: RANKER_FILE} if bundle.has_ranker else {})
    for name, file in onnx.items():
        target = directory / name / str(version)
        target.mkdir(parents=True)
        write_with_open_size(bundle.directory / file, target / MODEL_ONNX)
    models = {name: OnnxModel(directory / name / str(version) / MODEL_ONNX) for name in onnx}
    # The longest histories of all, joined in one batch, must not take more memory than models may.
    numbers = padded_width(bundle.manifest.longest_history) * max(1, bundle.manifest.floats_per_position)
    max_batch = max(1, min(MAX_BATCH, MAX_NUMBERS // numbers))
    configs = configs_of(
        models[QUERY_ENCODER], models.get(RANKER), bundle.user_columns, version, max_batch, python_instances
    )
    for name, config in configs.items():
        (directory / name / str(version)).mkdir(parents=True, exist_ok=True)
        write_config(config, directory / name / CONFIG)
        if name in _FILES:
            _write_python(name, bundle, directory / name / str(version))
    write_config(configs[RECOMMEND], directory / RECOMMEND / str(version) / CONFIG)
    _copy_files(bundle, _FOR_PEOPLE, directory / RECOMMEND / str(version) / BUNDLE)


def _write_python(name: str, bundle: Bundle, target: Path) -> None:
    """A model in Python with the modules that it imports and the files that it reads."""
    program = _MODELS / f"{name}.py"
    shutil.copyfile(program, target / MODEL_PY)
    copy_modules(modules_needed([program]), target)
    index = bundle.manifest.index
    # FAISS has vectors of its own, and needs those beside it only to score candidates anew.
    unread = (VECTORS, SCALES) if index.kind == "faiss" and "rescore" not in index.parameters else ()
    _copy_files(bundle, [file for file in _FILES[name] if file not in unread], target / BUNDLE)


def _copy_files(bundle: Bundle, files: Iterable[str], target: Path) -> None:
    """The manifest of a bundle, and those of the files that it has."""
    target.mkdir()
    shutil.copyfile(bundle.directory / MANIFEST, target / MANIFEST)
    for file in files:
        if file in bundle.manifest.files:
            shutil.copyfile(bundle.directory / file, target / file)


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
