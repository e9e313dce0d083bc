"""Turns runs into a bundle.

Shape suffixes: B requests, I items of the catalogue, D dimensions.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from torch import nn

from recsys.assembly import TrainedRun
from recsys.assessment import name_of
from recsys.errors import ExportError
from recsys.export.index_building import built_index
from recsys.export.onnx_export import export_encoder, export_ranker
from recsys.export.parity import check_ranker, check_scores, overlap, parity_queries
from recsys.export.precision import reduce_precision
from recsys.export.tables import neighbour_table, write_histories
from recsys.models.protocols import Recommender
from recsys.models.served.form import RankerOfForm, Serves, ServesPairs, ServingForm
from recsys.output_directory import make_output_directory
from recsys.pipelines.choices import content_column_of, separators_of
from recsys.recommending import min_rating_of_history
from recsys.retrieval.arrays import FloatArray
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.requests import Requests
from recsys.retrieval.top_k import top_k
from recsys.runtime.bundle import (
    HISTORIES,
    INDEX,
    ITEM_VOCABULARY,
    ITEMS,
    NEIGHBOURS,
    POPULARITY,
    QUERY_ENCODER,
    RANKER,
    USER_VOCABULARY,
    Bundle,
)
from recsys.runtime.hashing import file_of
from recsys.runtime.manifest import BUNDLE_VERSION, DataOfBundle, IndexOfBundle, Manifest, Source
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.stages import OnnxEncoder, OnnxRanker
from recsys.runtime.stored_vectors import read_vectors, write_vectors

#: Libraries whose versions a bundle notes.
LIBRARIES = ("recsys", "torch", "onnx", "onnxruntime", "faiss-cpu", "faiss-gpu-cu12", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class BundleSettings:
    """How a bundle is made.

    Args:
        index: ``auto``, ``exact``, or FAISS's description of an index, such as ``IVF1024,Flat`` or ``HNSW32``.
        recall_target: share of the exact best 100 that an automatic index finds, at least.
        rescore: how many times as many candidates an index of FAISS finds, which are then scored by their vectors; for
            indexes that keep product codes.
        storage: of the item vectors: ``float32``, ``float16`` or ``int8``.
        precision: of the numbers inside the ONNX models: ``float32``, ``float16`` or ``int8``.
        num_candidates: that are ranked, unless a request says otherwise.
        num_neighbours: that are kept of each item.
        histories: whether what users have goes into the bundle; without, a request brings its history.
    """

    index: str = "auto"
    recall_target: float = 0.99
    rescore: int | None = None
    storage: str = "float32"
    precision: str = "float32"
    num_candidates: int = 200
    num_neighbours: int = 50
    histories: bool = True


def write_bundle(
    run: TrainedRun,
    ranker: TrainedRun | None,
    output: Path,
    settings: BundleSettings,
    print_line: Callable[[str], None],
) -> Bundle:
    """Write a bundle: whole, or not at all.

    Args:
        run: finds the candidates.
        ranker: orders them; None leaves them in the order in which they are found.
        output: the bundle's directory, which is not there yet; its name is that of the bundle.
        settings: how it is made.
        print_line: receives a line for each step.

    Raises:
        ExportError: a model cannot be served, differs from PyTorch, or the runs do not belong together.
        RunError: the directory cannot be made.
    """
    _check_together(run, ranker)
    if output.exists():
        raise ExportError(f"A bundle is written to a new directory, but {output} is there. Choose another output=.")
    partial = output.with_name(f".{output.name}.partial-{os.getpid()}")
    make_output_directory(partial, "bundle", "output=")
    try:
        _write(run, ranker, partial, replace(settings), output.name, print_line)
        os.replace(partial, output)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Bundle.open(output)


def _check_together(run: TrainedRun, ranker: TrainedRun | None) -> None:
    if ranker is None:
        return
    if ranker.manifest.data_hash != run.manifest.data_hash:
        raise ExportError(
            f"Both runs of a bundle must be of the same data, but {run.directory.path} is of {run.manifest.data_name} "
            f"({run.manifest.data_hash[:12]}) and {ranker.directory.path} of {ranker.manifest.data_name} "
            f"({ranker.manifest.data_hash[:12]}). Train one of them again."
        )
    floors = [min_rating_of_history(one.model, one.prepared) for one in (run, ranker)]
    if floors[0] != floors[1]:
        raise ExportError(
            f"Both models of a bundle must have the same histories, but those of {name_of(run.model)} hold ratings "
            f"from {floors[0]} and those of {name_of(ranker.model)} from {floors[1]} (null: all). Choose two models of "
            "likes, or two of ratings."
        )


def _write(
    run: TrainedRun,
    ranker: TrainedRun | None,
    directory: Path,
    settings: BundleSettings,
    name: str,
    print_line: Callable[[str], None],
) -> None:
    prepared, parity = run.prepared, {}
    min_rating = min_rating_of_history(run.model, prepared)
    queries = parity_queries(prepared, min_rating)

    form = _form_of(run.model)
    assert isinstance(run.model, Recommender), "every model is"
    print_line(f"{name_of(run.model)}: query encoder to ONNX")
    export_encoder(form.encoder, directory / QUERY_ENCODER, _metadata(run, "query_encoder"))
    numbers = form.numbers_per_interaction
    encode = OnnxEncoder(OnnxModel(directory / QUERY_ENCODER), numbers)
    vectors: FloatArray | None = None if form.item_vectors is None else form.item_vectors.numpy()
    measured = check_scores(run.model, _catalogue_scores(encode, vectors), queries)
    parity["query_encoder"] = measured.as_dict()
    print_line(_told(measured.as_dict()))

    ranker_model = None
    if ranker is not None:
        print_line(f"{name_of(ranker.model)}: ranker to ONNX")
        ranker_form = _form_of(ranker.model)
        assert isinstance(ranker.model, Recommender), "every model is"
        numbers = max(numbers, ranker_form.numbers_per_interaction)
        export_ranker(_ranker_of(ranker.model, ranker_form), directory / RANKER, _metadata(ranker, "ranker"))
        ranker_model = OnnxModel(directory / RANKER)

        def candidates(requests: Requests) -> Any:
            scores = _catalogue_scores(encode, vectors)(requests)
            # A list that has ended is part of what is compared.
            return top_k(scores, settings.num_candidates).items

        compared = check_ranker(ranker.model, OnnxRanker(ranker_model, numbers).score, candidates, queries)
        parity["ranker"] = compared.as_dict()
        print_line(_told(compared.as_dict()))

    users = queries[next(iter(queries))]
    before = encode(users)
    if settings.precision != "float32":
        for file in [QUERY_ENCODER] + ([] if ranker_model is None else [RANKER]):
            reduce_precision(directory / file, settings.precision)
        encode = OnnxEncoder(OnnxModel(directory / QUERY_ENCODER), numbers)
        shared = overlap(_products(before, vectors), _products(encode(users), vectors))
        parity["precision"] = {"precision": settings.precision, "top_10_overlap": shared}
        print_line(f"  numbers as {settings.precision}: {shared:.1%} of the lists of 10 stay")
    index = IndexOfBundle("scores", dim=prepared.schema.num_items)
    if vectors is not None:
        index = _write_vectors(vectors, encode(users), directory, settings, parity, print_line)

    print_line("tables")
    prepared.item_vocabulary.save(directory / ITEM_VOCABULARY)
    prepared.user_vocabulary.save(directory / USER_VOCABULARY)
    pq.write_table(prepared.items, directory / ITEMS, compression="zstd")
    positives = prepared.positives()
    counts = np.bincount(positives.item_index, minlength=prepared.schema.num_items).astype(np.int64)
    np.save(directory / POPULARITY, counts, allow_pickle=False)
    if settings.histories:
        write_histories(prepared, directory / HISTORIES)
    neighbours = neighbour_table(run.model, prepared, settings.num_neighbours)
    if neighbours is not None:
        neighbours[0].write(directory / NEIGHBOURS)

    models = {QUERY_ENCODER: OnnxModel(directory / QUERY_ENCODER)}
    if ranker_model is not None:
        models[RANKER] = OnnxModel(directory / RANKER)
    rating = prepared.schema.rating
    Manifest(
        bundle_version=BUNDLE_VERSION,
        name=name,
        created=datetime.now().isoformat(timespec="seconds"),
        retriever=_source(run),
        ranker=None if ranker is None else _source(ranker),
        data=DataOfBundle(
            name=prepared.schema.name,
            content_hash=prepared.schema.content_hash,
            num_users=prepared.schema.num_users,
            num_items=prepared.schema.num_items,
            min_rating=min_rating,
            rating_range=None if rating is None else (rating.min, rating.max),
            separators=separators_of(prepared),
            content_column=content_column_of(prepared),
        ),
        index=index,
        num_candidates=settings.num_candidates,
        numbers_per_interaction=numbers,
        longest_history=int(users.history.counts.max(initial=0)),
        inputs={file: model.described_inputs for file, model in models.items()},
        outputs={file: model.described_output for file, model in models.items()},
        parity=parity,
        neighbours=None if neighbours is None else neighbours[1],
        versions=_versions(),
        files={path.name: file_of(path) for path in sorted(directory.iterdir())},
    ).write(directory)


def _write_vectors(
    vectors: FloatArray,
    queries: FloatArray,
    directory: Path,
    settings: BundleSettings,
    parity: dict[str, Any],
    print_line: Callable[[str], None],
) -> IndexOfBundle:
    """Write the item vectors and, where FAISS finds them, its index."""
    write_vectors(vectors, directory, settings.storage)
    stored = read_vectors(directory)
    if settings.storage != "float32":
        shared = overlap(_products(queries, vectors), _products(queries, stored))
        parity["storage"] = {"storage": settings.storage, "top_10_overlap": shared}
        print_line(f"  item vectors as {settings.storage}: {shared:.1%} of the lists of 10 stay")
    index, described, reason = built_index(stored, queries, settings.index, settings.recall_target, settings.rescore)
    print_line(f"index: {reason}; recall@100 {described.recall:.4f}")
    if isinstance(index, FaissIndex):
        index.save(directory / INDEX)
    return replace(described, storage=settings.storage)


def _form_of(model: nn.Module) -> ServingForm:
    if not isinstance(model, Serves):
        raise ExportError(
            f"A model that can be served is required, but {type(model).__name__} has no serving form. docs/models.md "
            "says which models have one."
        )
    return model.eval().serving_form()


def _ranker_of(model: nn.Module, form: ServingForm) -> nn.Module:
    return model.serving_ranker() if isinstance(model, ServesPairs) else RankerOfForm(form)


def _products(encoded: FloatArray, vectors: FloatArray | None) -> FloatArray:
    """Scores of the catalogue from what an encoder gives, shape [B, I]."""
    if vectors is None:
        return encoded
    products: FloatArray = encoded @ vectors.T
    return products


def _catalogue_scores(encode: OnnxEncoder, vectors: FloatArray | None) -> Callable[[Requests], FloatArray]:
    return lambda requests: _products(encode(requests), vectors)


def _source(run: TrainedRun) -> Source:
    return Source(str(run.directory.path), name_of(run.model), run.directory.metrics())


def _metadata(run: TrainedRun, role: str) -> dict[str, str]:
    return {
        "role": role,
        "model": name_of(run.model),
        "run": run.directory.path.name,
        "data_hash": run.manifest.data_hash,
        "recsys_version": version("recsys"),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _told(parity: dict[str, Any]) -> str:
    return (
        f"  {parity['num_queries']:,} queries agree with PyTorch: scores within {parity['max_difference']:.1g} of "
        f"their spread, {parity['top_k_agreement']:.1%} of the lists of {parity['k']}"
    )
