"""Turns runs into a bundle.

Shape suffixes: B requests, I items of the catalogue, D dimensions.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import recsys
from recsys.cli.output_directory import make_output_directory, partial_directory
from recsys.errors import ExportError, RecsysError
from recsys.evaluation.model_report import model_name
from recsys.export.history_truncation import cost_of_cut
from recsys.export.index_building import build_index
from recsys.export.learning_curve_file import copy_learning_curve
from recsys.export.model_card import write_model_card
from recsys.export.parity import MANY_USERS, overlap, parity_queries
from recsys.export.precision import PRECISIONS
from recsys.export.served_models import export_models, products
from recsys.export.settings_files import write_settings
from recsys.export.tables import write_knowledge, write_tables
from recsys.models.interface.protocols import FoldsIn
from recsys.recommendation.model_knowledge import knowledge_of
from recsys.recommendation.prepared_tables import catalogue_of, data_of, min_rating_of_history, user_columns_of
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.filtering.filter_language import parse_filters
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.retrieval.types import FloatArray
from recsys.runs.trained_run import TrainedRun, training_of_run
from recsys.runtime.bundle import EXPLAINER, INDEX, QUERY_ENCODER, RANKER, Bundle
from recsys.runtime.bundle_evaluation import LEARNING_CURVE, RANKER_LEARNING_CURVE
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.hashing import file_of
from recsys.runtime.manifest import BUNDLE_VERSION, BundleIndex, Manifest, Source
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.personalization.knowledge import Knowledge
from recsys.runtime.stored_vectors import STORAGES, read_vectors, write_vectors

#: Libraries whose versions a bundle notes.
LIBRARIES = ("torch", "onnx", "onnxruntime", "faiss-cpu", "faiss-gpu-cu12", "numpy", "pyarrow")


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
        histories: whether what is known of users goes into the bundle, their histories and columns; without, a request
            brings both.
        max_history: latest interactions of a history that the models get, which bounds how long they take; what is
            older is still not recommended again. None: all.
        exclude_seen: what happens to seen items where a request does not say, see
            :class:`recsys.retrieval.seen_policy.SeenPolicy`; None: as in the run.
        filters: which items may be in any list, as requests have it; None: all.
        popular_days: what is popular is that of so many days before the newest interaction; None: of all time.

    Raises:
        ExportError: there is no such storage or precision, or a number is not positive.
        RecsysError: the filters or what happens to seen items are malformed.
    """

    index: str = "auto"
    recall_target: float = 0.99
    rescore: int | None = None
    storage: str = "float32"
    precision: str = "float32"
    num_candidates: int = 200
    num_neighbours: int = 50
    histories: bool = True
    max_history: int | None = None
    exclude_seen: Any = None
    filters: Mapping[str, Any] | None = None
    popular_days: float | None = None

    def __post_init__(self) -> None:
        parse_filters(self.filters)
        if self.exclude_seen is not None:
            SeenPolicy.parse(self.exclude_seen)
        for name, value, known in (
            ("storage", self.storage, STORAGES),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise ExportError(f"{name} must be {', '.join(known)}, but it is {value}.")
        for name, number in (("num_candidates", self.num_candidates), ("num_neighbours", self.num_neighbours)):
            if not isinstance(number, int) or number < 1:
                raise ExportError(f"{name} must be a whole number of at least 1, but it is {number}.")
        if self.max_history is not None and (not isinstance(self.max_history, int) or self.max_history < 1):
            raise ExportError(
                f"max_history must be a whole number of at least 1, or null for all, but it is {self.max_history}."
            )


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
    partial = partial_directory(output)
    make_output_directory(partial, "bundle", "output=")
    try:
        _write(run, ranker, partial, settings, output.name, print_line)
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
            f"Both models of a bundle must have the same histories, but those of {model_name(run.model)} hold ratings "
            f"from {floors[0]} and those of {model_name(ranker.model)} from {floors[1]} (null: all). Choose two models "
            "of implicit feedback, or two of ratings."
        )


def _write(
    run: TrainedRun,
    ranker: TrainedRun | None,
    directory: Path,
    settings: BundleSettings,
    name: str,
    print_line: Callable[[str], None],
) -> None:
    prepared = run.prepared
    exclude_seen = _seen_policy(run, settings)
    catalogue = catalogue_of(prepared, settings.filters, settings.popular_days)
    if settings.filters:
        print_line(_filters_told(catalogue))
    min_rating = min_rating_of_history(run.model, prepared)
    user_columns = user_columns_of([run.model, None if ranker is None else ranker.model])
    whole = parity_queries(prepared, min_rating, user_columns)
    queries = {name: asked.latest(settings.max_history) for name, asked in whole.items()}
    models = export_models(run, ranker, directory, queries, settings.num_candidates, settings.precision, print_line)
    users = queries[MANY_USERS]
    if settings.max_history is not None:
        models.parity["max_history"] = cost_of_cut(models, whole[MANY_USERS], users, settings.num_candidates)
        print_line(_cost_told(settings.max_history, models.parity["max_history"]))
    index = BundleIndex("scores", dim=prepared.schema.num_items)
    if models.item_vectors is not None:
        index = _write_vectors(
            models.item_vectors, models.encode(users), directory, settings, models.parity, print_line
        )
    elif settings.index not in ("auto", "exact"):
        print_line(
            f"index={settings.index} has no effect: {model_name(run.model)} scores the whole catalogue, without "
            "vectors that an index could search"
        )
    print_line("tables")
    model: Any = run.model
    knowledge = [_knowledge(one, print_line) for one in (run, ranker) if one is not None]
    write_knowledge(knowledge, directory)
    measures = write_tables(
        prepared, model, user_columns, directory, settings.num_neighbours, settings.histories, catalogue, knowledge[0]
    )
    write_settings(run, ranker, asdict(settings), directory)
    copy_learning_curve(run, directory / LEARNING_CURVE)
    if ranker is not None:
        copy_learning_curve(ranker, directory / RANKER_LEARNING_CURVE)
    files = {QUERY_ENCODER: OnnxModel(directory / QUERY_ENCODER)}
    for file in (RANKER, EXPLAINER):
        if (directory / file).is_file():
            files[file] = OnnxModel(directory / file)
    manifest = Manifest(
        bundle_version=BUNDLE_VERSION,
        name=name,
        created=datetime.now().isoformat(timespec="seconds"),
        retriever=_source(run, knowledge[0]),
        ranker=None if ranker is None else _source(ranker, knowledge[-1]),
        data=data_of(prepared, run.model),
        index=index,
        folds_in=isinstance(run.model, FoldsIn),
        num_candidates=settings.num_candidates,
        floats_per_position=models.floats_per_position,
        max_history=settings.max_history,
        longest_history=max(int(asked.history.counts.max(initial=0)) for asked in queries.values()),
        inputs={file: model.described_inputs for file, model in files.items()},
        outputs={file: model.described_output for file, model in files.items()},
        parity=models.parity,
        neighbours=measures,
        versions=_versions(),
        files={},
        exclude_seen=exclude_seen.written(),
        filters=None if catalogue.filters is None else catalogue.filters.as_mapping(),
        popular_days=settings.popular_days,
    )
    write_model_card(manifest, run, ranker, directory)
    replace(manifest, files={path.name: file_of(path) for path in sorted(directory.iterdir())}).write(directory)


def _filters_told(catalogue: CatalogueState) -> str:
    allowed = f"filters: {int(catalogue.available.sum()):,} of {len(catalogue.available):,} items are allowed now"
    without_item = catalogue.without_item(catalogue.filters)
    if without_item:
        return (
            f"{allowed}. Values that they name and no item has, which may be meant or a slip: {', '.join(without_item)}"
        )
    return allowed


def _cost_told(max_history: int, cost: Mapping[str, float]) -> str:
    return (
        f"  histories of the latest {max_history}: {cost['top_10_overlap']:.1%} of the lists of 10 stay, "
        f"{cost['top_10_overlap_of_these']:.1%} of those of the {cost['share_of_users']:.1%} of the users who have more"
    )


def _write_vectors(
    vectors: FloatArray,
    queries: FloatArray,
    directory: Path,
    settings: BundleSettings,
    parity: dict[str, Any],
    print_line: Callable[[str], None],
) -> BundleIndex:
    """Write the item vectors and, where FAISS finds them, its index."""
    write_vectors(vectors, directory, settings.storage)
    stored = read_vectors(directory)
    if settings.storage != "float32":
        shared = overlap(products(queries, vectors), products(queries, stored))
        parity["storage"] = {"storage": settings.storage, "top_10_overlap": shared}
        print_line(f"  item vectors as {settings.storage}: {shared:.1%} of the lists of 10 stay")
    index, described, reason = build_index(stored, queries, settings.index, settings.recall_target, settings.rescore)
    print_line(f"index: {reason}; recall@100 {described.recall:.4f}")
    if isinstance(index, FaissIndex):
        index.save(directory / INDEX)
    return replace(described, storage=settings.storage)


def _source(run: TrainedRun, knowledge: Knowledge) -> Source:
    return Source(str(run.directory.path), model_name(run.model), run.directory.metrics(), knowledge.reads)


def _seen_policy(run: TrainedRun, settings: BundleSettings) -> SeenPolicy:
    """What happens to seen items: as it is asked for, else as in the run.

    Raises:
        ExportError: it needs times, and the data have none.
    """
    told = run.config.get("exclude_seen", True) if settings.exclude_seen is None else settings.exclude_seen
    policy = SeenPolicy.parse(told)
    if policy.needs_times and run.prepared.interactions.timestamp is None:
        raise ExportError(
            f"exclude_seen={policy} needs to know when items were seen, but {run.prepared.schema.name} has no times. "
            "Export with exclude_seen=true or exclude_seen=false."
        )
    return policy


def _knowledge(run: TrainedRun, print_line: Callable[[str], None]) -> Knowledge:
    """What the model of a run reads, and what it has learnt about."""
    training = None
    try:
        training = training_of_run(run)
    except RecsysError as error:
        print_line(f"the model counts as trained with all items and users, because its split cannot be made: {error}")
    model: Any = run.model
    return knowledge_of(model, run.prepared, training)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "recsys": recsys.__version__}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
