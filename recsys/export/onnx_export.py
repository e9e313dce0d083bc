"""Writes the serving forms of models as ONNX.

Shape suffixes: B queries, L positions, C candidates of each.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recsys.data.encoded_columns import EncodedColumn
from recsys.errors import ExportError
from recsys.models.onnx.exportable import ItemEncoderSpec
from recsys.models.onnx.onnx_query import OnnxQuery
from recsys.runtime.onnx_inputs import (
    CANDIDATES,
    CONTRIBUTIONS,
    NEW_ITEMS,
    QUERY,
    QUERY_INPUTS,
    REST,
    SCORE,
    feature_input,
)

#: Version of the ONNX operators. Read by ONNX Runtime from 1.17 and by the Triton releases that have it.
OPSET = 20
#: A protocol buffer holds no more.
MAX_BYTES = 2**31 - 2**20
#: The output of an encoder of new items.
VECTORS = "vectors"


class _WithInputs(nn.Module):
    """What is exported, with one argument for each input."""

    def __init__(self, module: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.module = module
        self.names = tuple(names)

    def query(
        self, users: Tensor, items: Tensor, ratings: Tensor, timestamps: Tensor, features: Sequence[Tensor]
    ) -> OnnxQuery:
        """The query, as the module takes it."""
        return OnnxQuery(users, items, ratings, timestamps, dict(zip(self.names, features, strict=True)))


class _Encoder(_WithInputs):
    """A query encoder."""

    def forward(
        self, users: Tensor, items: Tensor, ratings: Tensor, timestamps: Tensor, features: Sequence[Tensor] = ()
    ) -> Any:
        return self.module(self.query(users, items, ratings, timestamps, features))


class _ForCandidates(_WithInputs):
    """A ranker or an explainer."""

    def forward(
        self,
        users: Tensor,
        items: Tensor,
        ratings: Tensor,
        timestamps: Tensor,
        candidates: Tensor,
        features: Sequence[Tensor] = (),
    ) -> Any:
        return self.module(self.query(users, items, ratings, timestamps, features), candidates)


class _ForNewCandidates(_WithInputs):
    """A ranker that knows new items by vectors."""

    def forward(
        self,
        users: Tensor,
        items: Tensor,
        ratings: Tensor,
        timestamps: Tensor,
        candidates: Tensor,
        new_items: Tensor,
        features: Sequence[Tensor] = (),
    ) -> Any:
        return self.module(self.query(users, items, ratings, timestamps, features), candidates, new_items)


def export_encoder(
    encoder: nn.Module,
    path: Path,
    metadata: Mapping[str, str] | None = None,
    user_columns: Sequence[EncodedColumn] = (),
) -> None:
    """Write a query encoder, see :class:`recsys.models.onnx.exportable.ServingForm`.

    Args:
        encoder: in evaluation mode, on the CPU.
        path: of the file.
        metadata: kept inside the file.
        user_columns: that it reads.

    Raises:
        ExportError: the exporter does not know an operation of it, or the file would be too large.
    """
    module = _Encoder(encoder, [column.name for column in user_columns])
    _export(module, path, user_columns, [], [QUERY], metadata or {})


def export_ranker(
    ranker: nn.Module,
    path: Path,
    metadata: Mapping[str, str] | None = None,
    user_columns: Sequence[EncodedColumn] = (),
    new_items: Tensor | None = None,
) -> None:
    """Write a ranker, see :mod:`recsys.models.onnx.exportable`.

    Args:
        ranker: in evaluation mode, on the CPU.
        path: of the file.
        metadata: kept inside the file.
        user_columns: that it reads.
        new_items: vectors by which it knows new items, at least 2, shape [N, W]; None: it knows none.

    Raises:
        ExportError: as above.
    """
    names = [column.name for column in user_columns]
    if new_items is None:
        _export(_ForCandidates(ranker, names), path, user_columns, [CANDIDATES], [SCORE], metadata or {})
    else:
        module = _ForNewCandidates(ranker, names)
        _export(module, path, user_columns, [CANDIDATES, NEW_ITEMS], [SCORE], metadata or {}, new_items)


def export_explainer(
    explainer: nn.Module,
    path: Path,
    metadata: Mapping[str, str] | None = None,
    user_columns: Sequence[EncodedColumn] = (),
) -> None:
    """Write an explainer, see :mod:`recsys.models.onnx.exportable`; arguments as above."""
    module = _ForCandidates(explainer, [column.name for column in user_columns])
    _export(module, path, user_columns, [CANDIDATES], [CONTRIBUTIONS, REST], metadata or {})


def export_item_encoder(form: ItemEncoderSpec, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write an encoder of new items: an input for each column, by its name, and the output ``vectors``; as above."""
    examples, shapes = _of_columns(form.columns, torch.export.Dim("items"))
    names = [column.name for column in form.columns]
    # The encoder takes any number of columns, and so they are one argument of its.
    _write(form.encoder, tuple(examples), (tuple(shapes),), names, [VECTORS], path, metadata or {})


def _of_columns(columns: Sequence[EncodedColumn], rows: torch.export.Dim) -> tuple[list[Tensor], list[Any]]:
    """Examples of columns, and which of their sizes vary."""
    examples: list[Tensor] = []
    shapes: list[dict[int, torch.export.Dim]] = []
    for place, column in enumerate(columns):
        if column.vocabulary is None:
            examples.append(torch.zeros(2))
            shapes.append({0: rows})
        else:
            examples.append(torch.zeros(2, 3, dtype=torch.int64))
            shapes.append({0: rows, 1: torch.export.Dim(f"values_{place}")})
    return examples, shapes


def _export(
    module: nn.Module,
    path: Path,
    user_columns: Sequence[EncodedColumn],
    more: list[str],
    outputs: list[str],
    metadata: Mapping[str, str],
    new_items: Tensor | None = None,
) -> None:
    batch, length, width = torch.export.Dim("batch"), torch.export.Dim("length"), torch.export.Dim("candidates")
    # No size of an example may be 0 or 1: the exporter takes these for constants.
    query = (
        torch.zeros(2, dtype=torch.int64),
        torch.zeros(2, 3, dtype=torch.int64),
        torch.zeros(2, 3),
        torch.zeros(2, 3, dtype=torch.int64),
    )
    shapes: list[Any] = [{0: batch}, *({0: batch, 1: length} for _ in range(3))]
    examples: tuple[Any, ...] = query
    if CANDIDATES in more:
        examples = (*examples, torch.zeros(2, 4, dtype=torch.int64))
        shapes.append({0: batch, 1: width})
    if new_items is not None:
        examples = (*examples, new_items)
        shapes.append({0: torch.export.Dim("new_items")})
    if user_columns:  # without any the exporter would lose the names of the sizes
        features, of_features = _of_columns(user_columns, batch)
        examples = (*examples, features)
        shapes.append(of_features)
    inputs = [*QUERY_INPUTS, *more, *(feature_input(column.name) for column in user_columns)]
    _write(module, examples, tuple(shapes), inputs, outputs, path, metadata)


def _write(
    module: nn.Module,
    examples: tuple[Any, ...],
    shapes: tuple[Any, ...],
    inputs: list[str],
    outputs: list[str],
    path: Path,
    metadata: Mapping[str, str],
) -> None:
    size = sum(tensor.nbytes for tensor in [*module.parameters(), *module.buffers()])
    if size > MAX_BYTES:
        raise ExportError(
            f"An ONNX file holds at most {MAX_BYTES / 1e9:.1f} GB, but the tensors of this model take "
            f"{size / 1e9:.1f} GB. Keep fewer neighbours or dimensions, or leave out rare items."
        )
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module.eval(),
                examples,
                dynamo=True,
                opset_version=OPSET,
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=shapes,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(
            f"The ONNX exporter of PyTorch {torch.__version__} failed ({str(error).splitlines()[0]}). This is a fault "
            "of the model's serving form, not of the data."
        ) from error
    assert program is not None, "what the dynamo exporter returns"
    program.model.metadata_props.update(metadata)
    program.save(str(path), include_initializers=True, external_data=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notes: on operators of libraries that are not installed, and on its own future."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
