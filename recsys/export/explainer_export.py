"""Writes what explains the recommendations of a bundle. Shape suffixes: B requests, K explained items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from recsys.export.onnx_export import export_explainer
from recsys.export.parity import check_explainer
from recsys.models.interface.protocols import Explains
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import IntArray
from recsys.runtime.explanations.onnx_explainer import OnnxExplainer
from recsys.runtime.onnx_model import OnnxModel


def write_explainer(
    model: nn.Module,
    num_items: int,
    path: Path,
    metadata: Mapping[str, str],
    items: Callable[[RequestBatch], IntArray],
    queries: Mapping[str, RequestBatch],
) -> dict[str, Any] | None:
    """Write the explainer of a model, if it splits its scores over the history.

    Its numbers are float32, whatever those of the other models: contributions are those of the model in PyTorch.

    Args:
        model: whose scores the users see, in evaluation mode, on the CPU.
        num_items: size of the catalogue.
        path: of the file.
        metadata: kept inside the file.
        items: that are recommended to requests, shape [B, K], -1 for none.
        queries: that PyTorch and ONNX Runtime are both asked, by name.

    Returns:
        What was compared; None where the model does not explain its scores.

    Raises:
        ExportError: the explainer differs from PyTorch.
    """
    explaining_form = getattr(model, "explaining_form", None)
    if explaining_form is None:
        return None
    export_explainer(explaining_form(), path, metadata)
    assert isinstance(model, Explains), "whatever has the form has what it is a form of"
    return check_explainer(model, OnnxExplainer(OnnxModel(path), num_items), items, queries)
