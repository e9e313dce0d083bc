"""The directory of one version of the model ``recommender``: a bundle, where its ONNX models run, and changes of items.

::

    recommender/20260131120000/
        model.py, recsys/, recsys_serving/   the program and the modules that it imports
        onnx_models.json                     where ONNX models run: in this process, or as models of the server
        bundle/                              the bundle; without ONNX models where these are models of the server
        items/                               items that came and went since, see item_changes
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recsys.errors import BundleError
from recsys.runtime.bundle import Bundle
from recsys.runtime.hashing import check_files

BUNDLE = "bundle"
ONNX_MODELS = "onnx_models.json"


@dataclass(frozen=True, slots=True)
class OnnxSignature:
    """What goes into and comes out of an ONNX model that the server runs.

    Args:
        inputs: their names.
        outputs: their names.
    """

    inputs: Sequence[str]
    outputs: Sequence[str]


def version_of(bundle: Bundle) -> int:
    """The version of a bundle: when it was made, as a number of 14 digits.

    Example:
        A bundle made at 2026-01-31T12:00:00 is version 20260131120000.
    """
    return int(re.sub(r"\D", "", bundle.manifest.created)[:14])


def model_name(file: str) -> str:
    """The name of the server's model for an ONNX model of a bundle.

    Example:
        >>> model_name("query_encoder.onnx")
        'query_encoder'
    """
    return Path(file).stem


def write_onnx_models(directory: Path, models: Mapping[str, OnnxSignature]) -> None:
    """Write which ONNX models, by their files in the bundle, the server runs as models of its own."""
    text = json.dumps({file: asdict(signature) for file, signature in models.items()}, indent=2)
    (directory / ONNX_MODELS).write_text(f"{text}\n", encoding="utf-8")


def read_onnx_models(directory: Path) -> dict[str, OnnxSignature]:
    """The ONNX models that the server runs as models of its own; none where all run in the recommender's process.

    Raises:
        BundleError: the file is missing or damaged.
    """
    path = directory / ONNX_MODELS
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {file: OnnxSignature(**signature) for file, signature in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(f"{path} cannot be read ({error}). Export the bundle to the repository again.") from None


def open_bundle(directory: Path) -> Bundle:
    """Open the bundle of a version.

    Raises:
        BundleError: a file is missing, damaged or of another version.
    """
    bundle = Bundle.open(directory / BUNDLE, verify=False)
    elsewhere = read_onnx_models(directory)
    check_files(bundle.directory, {name: file for name, file in bundle.manifest.files.items() if name not in elsewhere})
    return bundle
