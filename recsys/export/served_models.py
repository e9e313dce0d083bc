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
from recsys.errors import ExportError
from recsys.evaluation.model_report import model_name
from recsys.export.explainer_export import write_explainer
from recsys.export.item_encoder_export import item_encoder_of, ranker_item_encoder_of, write_item_encoder
from recsys.export.new_items_parity import check_new_items
from recsys.export.onnx_export import export_encoder, export_ranker
from recsys.export.parity import MANY_USERS, K, check_ranker, check_scores, overlap
from recsys.export.precision import reduce_precision
from recsys.models.interface.protocols import ScoringModel
from recsys.models.onnx.exportable import (
    EncoderRanker,
    Exportable,
    ServingForm,
)
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runs.trained_run import TrainedRun
from recsys.runtime.bundle import (
    EXPLAINER,
    ITEM_ENCODER,
    ITEM_FEATURES,
    QUERY_ENCODER,
    RANKER,
    RANKER_ITEM_ENCODER,
    RANKER_ITEM_FEATURES,
)
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker


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
    if (spec := item_encoder_of(run.model, print_line)) is not None:
        print_line(f"{model_name(run.model)}: item encoder to ONNX")
        metadata = _metadata(run, "item_encoder")
        write_item_encoder(spec, run.prepared, directory / ITEM_ENCODER, directory / ITEM_FEATURES, metadata)
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
    new_items = _new_items_of_ranker(ranker, directory, print_line)
    some = None if new_items is None else torch.zeros(2, new_items.shape[1])
    export_ranker(module, directory / RANKER, _metadata(ranker, "ranker"), form.user_columns, some)

    def written() -> OnnxRanker:
        model, num_items = OnnxModel(directory / RANKER), ranker.prepared.schema.num_items
        given = None if new_items is None else (lambda: new_items)
        return OnnxRanker(model, form.floats_per_position, num_items, given)

    def candidates(requests: RequestBatch) -> IntArray:
        return top_k(products(encode(requests), vectors), num_candidates).items

    assert isinstance(ranker.model, ScoringModel), "every model is"
    rank = exact = written()
    parity: dict[str, Any] = {"ranker": check_ranker(ranker.model, exact.score, candidates, queries).as_dict()}
    print_line(_agreement(parity["ranker"]))
    if new_items is not None:
        num_items = ranker.prepared.schema.num_items
        parity["ranker_new_items"] = check_new_items(
            module, exact.score, candidates, queries, torch.from_numpy(new_items), num_items
        ).as_dict()
        print_line(f"  new items: {_agreement(parity['ranker_new_items']).strip()}")
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


def _new_items_of_ranker(ranker: TrainedRun, directory: Path, print_line: Callable[[str], None]) -> FloatArray | None:
    """Write what the ranker's vectors of new items are made by; those of some items, or None where it scores none."""
    spec = ranker_item_encoder_of(ranker.model, print_line)
    if spec is None:
        return None
    print_line(f"{model_name(ranker.model)}: item encoder of the ranker to ONNX")
    metadata = _metadata(ranker, "ranker_item_encoder")
    files = directory / RANKER_ITEM_ENCODER, directory / RANKER_ITEM_FEATURES
    return write_item_encoder(spec, ranker.prepared, *files, metadata)


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
