"""Sentence embeddings of the items' texts, computed once and cached beside the prepared data.

The models come from the optional package sentence-transformers (Reimers, Gurevych: Sentence-BERT, 2019).

Shape suffixes: I items, E dimension of the sentence model.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from recsys.data.columns import TITLE
from recsys.data.prepared import PreparedDataset
from recsys.data.raw import FeatureKind
from recsys.errors import DataError

#: Turns sentences into vectors, shape [len(sentences), E].
Encode = Callable[[list[str]], npt.NDArray[Any]]

#: Directory of the cached vectors, beside the prepared directories.
DIRECTORY = "sentence_vectors"
_VECTORS = "vectors"


def load_sentence_model(model: str) -> Encode:
    """The sentence model of that name or path.

    Raises:
        DataError: sentence-transformers is not installed, or the model is neither local nor available for download.
    """
    try:
        library = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise DataError(
            f"Sentence vectors need the package sentence-transformers ({error}). Install it with "
            "pip install 'recsys-framework[text]', or leave model.sentence_model=null."
        ) from None
    try:
        loaded = library.SentenceTransformer(model)
    except (OSError, ValueError) as error:
        raise DataError(
            f"The sentence model {model} could not be loaded ({error}). Give the path of a directory that has one, or "
            "a name that the Hugging Face hub knows, with a connection to it."
        ) from error
    return lambda sentences: loaded.encode(sentences, show_progress_bar=False)


def item_sentences(prepared: PreparedDataset) -> list[str]:
    """One text for each item: its title and its text features; empty where it has none.

    Raises:
        DataError: no item has a text.
    """
    features = [column.name for column in prepared.schema.item_features if column.kind == FeatureKind.TEXT]
    names = [name for name in dict.fromkeys([TITLE, *features]) if name in prepared.items.column_names]
    columns = [pc.fill_null(prepared.items.column(name).cast(pa.string()), "").to_pylist() for name in names]
    sentences = [". ".join(text.strip() for text in texts if text.strip()) for texts in zip(*columns, strict=True)]
    if not any(sentences):
        raise DataError(
            f"Sentence vectors need a title or a text feature of the items, but {prepared.schema.name} has none. "
            "Declare one, for data=table with data.items=FILE 'data.item_features={description: text}', or leave "
            "model.sentence_model=null."
        )
    return sentences


def sentence_vectors(
    prepared: PreparedDataset, model: str, load_model: Callable[[str], Encode] = load_sentence_model
) -> Tensor:
    """Embeddings of the items' texts, normalised to length 1.

    They are cached in :data:`DIRECTORY` beside the prepared directory, under a hash of the model and the texts.

    Args:
        prepared: the data.
        model: name or path of the sentence model.
        load_model: loads the model; called only if the vectors are not cached.

    Returns:
        Shape [I, E], float32; zeros for an item without text.

    Raises:
        DataError: no item has a text, or the model cannot be loaded.
    """
    sentences = item_sentences(prepared)
    key = hashlib.sha256(json.dumps([model, _files(Path(model)), sentences]).encode()).hexdigest()[:16]
    path = prepared.directory.parent / DIRECTORY / f"{key}.safetensors"
    if path.is_file():
        try:
            return load_file(path)[_VECTORS]
        except (SafetensorError, KeyError, OSError):
            pass  # a damaged file is written again
    vectors = _encode(sentences, load_model(model))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    save_file({_VECTORS: vectors}, partial)
    os.replace(partial, path)
    return vectors


def _files(directory: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of a local model's files: another model at the same path is another model."""
    files = sorted(path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else []
    return [(str(path.relative_to(directory)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]


def _encode(sentences: list[str], encode: Encode) -> Tensor:
    distinct = sorted({sentence for sentence in sentences if sentence})
    position = {sentence: row for row, sentence in enumerate(distinct)}
    encoded = torch.from_numpy(np.asarray(encode(distinct), dtype=np.float32))
    # A row of zeros for items without text comes after the others.
    known = torch.cat([torch.nn.functional.normalize(encoded, dim=1), encoded.new_zeros(1, encoded.shape[1])])
    return known[torch.tensor([position.get(sentence, len(distinct)) for sentence in sentences])]
