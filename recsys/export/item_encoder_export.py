"""Writes what makes vectors of new items, for what finds candidates and for what ranks them.

Shape suffixes: C items, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from recsys.data.encoded_columns import encode_table, write_columns
from recsys.data.prepared import PreparedDataset
from recsys.errors import ExportError, ModelError
from recsys.export.onnx_export import export_item_encoder
from recsys.export.parity import TOLERANCE
from recsys.models.onnx.exportable import ItemEncoderSpec
from recsys.retrieval.types import FloatArray
from recsys.runtime.onnx_model import OnnxModel

#: Items that are encoded as if they were new, to compare.
NUM_ITEMS_COMPARED = 1000


def item_encoder_of(model: nn.Module, print_line: Callable[[str], None]) -> ItemEncoderSpec | None:
    """How a model that finds candidates makes vectors of new items; None where, as it is set up, it cannot.

    Args:
        model: of a run.
        print_line: receives why it cannot, where other settings could.
    """
    return _spec(getattr(model, "item_encoder", None), print_line, "no encoder of new items")


def ranker_item_encoder_of(model: nn.Module, print_line: Callable[[str], None]) -> ItemEncoderSpec | None:
    """The same for a model that ranks candidates."""
    own = "item_encoder" if getattr(model, "serving_ranker", None) is None else "ranker_item_encoder"
    return _spec(getattr(model, own, None), print_line, "the ranker does not score new items")


def _spec(
    encoder: Callable[[], ItemEncoderSpec] | None, print_line: Callable[[str], None], without: str
) -> ItemEncoderSpec | None:
    if encoder is None:
        return None
    try:
        return encoder()
    except ModelError as error:
        print_line(f"{without}: {error}")
        return None


def write_item_encoder(
    spec: ItemEncoderSpec, prepared: PreparedDataset, path: Path, columns: Path, metadata: Mapping[str, str]
) -> FloatArray:
    """Write an encoder of new items and how its columns are encoded, and compare it with PyTorch.

    Args:
        spec: what is written.
        prepared: whose items are encoded as if they were new.
        path: of the model.
        columns: of the file of columns.
        metadata: kept inside the model.

    Returns:
        The vectors of the first of these items, shape [C, D].

    Raises:
        ExportError: what was written differs.
    """
    export_item_encoder(spec, path, metadata)
    write_columns(spec.columns, columns)
    onnx_inputs = encode_table(spec.columns, prepared.items.slice(0, NUM_ITEMS_COMPARED))
    found: FloatArray = OnnxModel(path).run(onnx_inputs)
    with torch.inference_mode():
        expected = spec.encoder(*(torch.from_numpy(onnx_inputs[of.name]) for of in spec.columns)).numpy()
    difference = float(np.nanmax(np.abs(found - expected), initial=0))
    scale = float(np.nanmax(np.abs(expected), initial=0)) or 1.0
    if (np.isnan(found) != np.isnan(expected)).any() or difference > TOLERANCE * scale:
        raise ExportError(
            f"The exported item encoder differs from PyTorch by {difference:.2g} in numbers of up to {scale:.2g}. The "
            "export is refused."
        )
    return found
