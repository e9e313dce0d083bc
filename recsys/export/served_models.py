"""Writes the models of a bundle and shows that they are those of the runs.

Shape suffixes: B requests, I items of the catalogue, D dimensions, C candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import recsys
from recsys.data.encoded_columns import encode_table, write_columns
from recsys.errors import ExportError, ModelError
from recsys.evaluation.model_report import model_name
from recsys.export.explainer_export import write_explainer
from recsys.export.onnx_export import export_encoder, export_item_encoder, export_ranker
from recsys.export.parity import MANY_USERS, TOLERANCE, K, check_ranker, check_scores, overlap
from recsys.export.precision import reduce_precision
from recsys.models.interface.protocols import ScoringModel
from recsys.models.onnx.exportable import (
    EncoderRanker,
    Exportable,
    ItemEncoderSpec,
    ServingForm,
)
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runs.trained_run import TrainedRun
from recsys.runtime.bundle import EXPLAINER, ITEM_ENCODER, ITEM_FEATURES, QUERY_ENCODER, RANKER
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker

#: Items that are encoded as if they were new, to compare.
NUM_ITEMS_COMPARED = 1000


@dataclass(frozen=True, slots=True, eq=False)
class ExportedModels:
    """Models that are written.

    Args:
        encode: the query encoder.
        rank: the ranker; None where there is none.
        item_vectors: shape [I, D], float32; None where the encoder scores the catalogue.
        floats_per_position: numbers that the models hold for each position of each history.
        parity: what was compared, by the name of the comparison.
    """

    encode: OnnxEncoder
    rank: OnnxRanker | None
    item_vectors: FloatArray | None
    floats_per_position: int
    parity: dict[str, Any]


def export_models(
    run: TrainedRun,
    ranker: TrainedRun | None,
    directory: Path,
    queries: Mapping[str, RequestBatch],
    num_candidates: int,
    precision: str,
    print_line: Callable[[str], None],
) -> ExportedModels:
    """Write the ONNX models of a bundle.

    Args:
        run: finds the candidates.
        ranker: orders them; or None.
        directory: where the files go.
        queries: that PyTorch and ONNX Runtime are both asked, by name.
        num_candidates: that a ranker gets, C.
        precision: of the numbers inside the models.
        print_line: receives what was found.

    Raises:
        ExportError: a model has no serving form, differs from PyTorch, or there is no such precision.
    """
    form = _form_of(run.model)
    print_line(f"{model_name(run.model)}: query encoder to ONNX")
    export_encoder(form.encoder, directory / QUERY_ENCODER, _metadata(run, "query_encoder"), form.user_columns)
    numbers = form.floats_per_position
    vectors: FloatArray | None = None if form.item_vectors is None else form.item_vectors.numpy()

    def encoder() -> OnnxEncoder:
        return OnnxEncoder(OnnxModel(directory / QUERY_ENCODER), numbers)

    encode = encoder()
    assert isinstance(run.model, ScoringModel), "every model is"
    parity = {
        "query_encoder": check_scores(run.model, lambda asked: products(encode(asked), vectors), queries).as_dict()
    }
    print_line(_agreement(parity["query_encoder"]))
    exact = products(encode(queries[MANY_USERS]), vectors)
    _export_explainer(
        run if ranker is None else ranker,
        directory,
        lambda asked: top_k(products(encode(asked), vectors), K).items,
        queries,
        parity,
        print_line,
    )
    held, rank = numbers, None
    if ranker is not None:
        ranker_form = _form_of(ranker.model)
        held = max(held, ranker_form.floats_per_position)
        rank, of_ranker = _export_ranker(
            ranker, ranker_form, directory, queries, encode, vectors, num_candidates, precision, print_line
        )
        parity |= of_ranker
    if precision != "float32":
        reduce_precision(directory / QUERY_ENCODER, precision)
        encode = encoder()
        shared = overlap(exact, products(encode(queries[MANY_USERS]), vectors))
        parity["precision"] = {"precision": precision, "top_10_overlap": shared}
        print_line(f"  numbers as {precision}: {shared:.1%} of the lists of 10 stay")
    if (item_encoder := getattr(run.model, "item_encoder", None)) is not None:
        _export_item_encoder(item_encoder, run, directory, print_line)
    return ExportedModels(encode, rank, vectors, held, parity)


def _export_explainer(
    run: TrainedRun,
    directory: Path,
    items: Callable[[RequestBatch], IntArray],
    queries: Mapping[str, RequestBatch],
    parity: dict[str, Any],
    print_line: Callable[[str], None],
) -> None:
    """Write the explainer of the model whose scores users see, where it has one, and note what was compared."""
    num_items = run.prepared.schema.num_items
    compared = write_explainer(run.model, num_items, directory / EXPLAINER, _metadata(run, "explainer"), items, queries)
    if compared is not None:
        parity["explainer"] = compared
        print_line(
            f"{model_name(run.model)}: explainer to ONNX\n  {compared['num_queries']:,} queries agree with PyTorch: "
            f"contributions within {compared['max_difference']:.1g} of the largest"
        )


def _export_item_encoder(
    item_encoder: Callable[[], ItemEncoderSpec], run: TrainedRun, directory: Path, print_line: Callable[[str], None]
) -> None:
    """Write what encodes new items, where the model, as it is set up, can."""
    try:
        form = item_encoder()
    except ModelError as error:
        print_line(f"no encoder of new items: {error}")
        return
    print_line(f"{model_name(run.model)}: item encoder to ONNX")
    export_item_encoder(form, directory / ITEM_ENCODER, _metadata(run, "item_encoder"))
    write_columns(form.columns, directory / ITEM_FEATURES)
    onnx_inputs = encode_table(form.columns, run.prepared.items.slice(0, NUM_ITEMS_COMPARED))
    found = OnnxModel(directory / ITEM_ENCODER).run(onnx_inputs)
    with torch.inference_mode():
        expected = form.encoder(*(torch.from_numpy(onnx_inputs[of.name]) for of in form.columns)).numpy()
    difference = float(np.nanmax(np.abs(found - expected), initial=0))
    scale = float(np.nanmax(np.abs(expected), initial=0)) or 1.0
    if (np.isnan(found) != np.isnan(expected)).any() or difference > TOLERANCE * scale:
        raise ExportError(
            f"The exported item encoder differs from PyTorch by {difference:.2g} in numbers of up to {scale:.2g}. The "
            "export is refused."
        )


def products(encoded: FloatArray, vectors: FloatArray | None) -> FloatArray:
    """Scores of the catalogue, shape [B, I], from what an encoder gives."""
    if vectors is None:
        return encoded
    scores: FloatArray = encoded @ vectors.T
    return scores


def _export_ranker(
    ranker: TrainedRun,
    form: ServingForm,
    directory: Path,
    queries: Mapping[str, RequestBatch],
    encode: OnnxEncoder,
    vectors: FloatArray | None,
    num_candidates: int,
    precision: str,
    print_line: Callable[[str], None],
) -> tuple[OnnxRanker, dict[str, Any]]:
    """Write the ranker, whose form is ``form``; the ranker, and what was compared."""
    print_line(f"{model_name(ranker.model)}: ranker to ONNX")
    serving_ranker = getattr(ranker.model, "serving_ranker", None)
    module = EncoderRanker(form) if serving_ranker is None else serving_ranker()
    export_ranker(module, directory / RANKER, _metadata(ranker, "ranker"), form.user_columns)

    def written() -> OnnxRanker:
        model, num_items = OnnxModel(directory / RANKER), ranker.prepared.schema.num_items
        return OnnxRanker(model, form.floats_per_position, num_items)

    def candidates(requests: RequestBatch) -> IntArray:
        return top_k(products(encode(requests), vectors), num_candidates).items

    assert isinstance(ranker.model, ScoringModel), "every model is"
    rank = exact = written()
    parity: dict[str, Any] = {"ranker": check_ranker(ranker.model, exact.score, candidates, queries).as_dict()}
    print_line(_agreement(parity["ranker"]))
    if precision != "float32":
        users = queries[MANY_USERS]
        items = candidates(users)
        reduce_precision(directory / RANKER, precision)
        rank = written()
        before, after = (np.where(items >= 0, one.score(users, items), np.nan) for one in (exact, rank))
        shared = overlap(before, after)
        parity["ranker_precision"] = {"precision": precision, "top_10_overlap": shared}
        print_line(f"  numbers as {precision}: {shared:.1%} of the lists of 10 stay")
    return rank, parity


def _form_of(model: nn.Module) -> ServingForm:
    if not isinstance(model, Exportable):
        raise ExportError(
            f"A model that can be served is required, but {type(model).__name__} has no serving form. docs/models.md "
            "says which models have one."
        )
    return model.eval().serving_form()


def _metadata(run: TrainedRun, role: str) -> dict[str, str]:
    return {
        "role": role,
        "model": model_name(run.model),
        "run": run.directory.path.name,
        "data_hash": run.manifest.data_hash,
        "recsys_version": recsys.__version__,
    }


def _agreement(parity: Mapping[str, Any]) -> str:
    return (
        f"  {parity['num_queries']:,} queries agree with PyTorch: scores within {parity['max_difference']:.1g} of "
        f"their spread, {parity['top_k_agreement']:.1%} of the lists of {parity['k']}"
    )
