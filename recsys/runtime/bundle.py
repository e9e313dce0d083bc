"""A bundle: all that serves a model, in one directory that says what is in it.

::

    bundles/NAME/
        manifest.json            sources, versions, inputs and outputs, parity, the hash of every file
        query_encoder.onnx       a user and a history to a vector, or to scores of the catalogue
        ranker.onnx              the same and candidates to scores, where there is a ranker
        explainer.onnx           the same and items to what each interaction adds to their scores, where the model can
        item_encoder.onnx        columns of a new item to a vector, with item_features.json, where the model can
        ranker_item_encoder.onnx  the same for the ranker, with ranker_item_features.json, where it scores new items
        item_vectors.npy         of the items, and index.faiss where FAISS finds them
        item_vocabulary.parquet  ids and indices; user_vocabulary.parquet
        item_ids.arrow           the same as it is mapped into memory; user_ids.arrow
        items.parquet            titles and columns, for people and for filters
        histories.parquet        what each user has, oldest first
        histories.arrow          the same as it is mapped into memory
        users.parquet            columns of the users, with user_columns.json, where a model reads any
        neighbours.parquet       the items that are most like each one, by the model
        content_neighbours.parquet  the same by the columns of the items, where they say anything
        popularity.npy           positive interactions of each item, the recent ones where it was exported so
        num_interactions.npy     all interactions of each item
        known_items.npy          items and users that the models have learnt about; known_users.npy
        training.yaml            settings of the model and its training, ranker_training.yaml those of the ranker
        export.yaml              settings of the export
        learning_curve.csv       metrics of each epoch of the training, ranker_learning_curve.csv of the ranker's

Shape suffixes: I items of the catalogue, D dimensions, U users.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.columns import ITEM_ID, ITEM_INDEX, RATING, TIMESTAMP, TITLE, USER_ID, USER_INDEX
from recsys.data.encoded_columns import EncodedColumn, read_columns
from recsys.data.id_index import IdIndex
from recsys.data.vocabulary import Vocabulary
from recsys.errors import BundleError
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import CandidateIndex, ExactIndex
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.score_index import ScoreIndex
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.hashing import check_files, report_extra_files
from recsys.runtime.history_file import map_histories
from recsys.runtime.item_encoder import ItemEncoder
from recsys.runtime.manifest import Manifest, fingerprint_of
from recsys.runtime.neighbours import NeighbourTable
from recsys.runtime.onnx_inputs import NEW_ITEMS
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.personalization.knowledge import Knowledge
from recsys.runtime.recommendation import SimilarityKind
from recsys.runtime.stored_vectors import read_vectors
from recsys.runtime.user_features import UserFeatures

QUERY_ENCODER = "query_encoder.onnx"
RANKER = "ranker.onnx"
EXPLAINER = "explainer.onnx"
ITEM_ENCODER = "item_encoder.onnx"
ITEM_FEATURES = "item_features.json"
RANKER_ITEM_ENCODER = "ranker_item_encoder.onnx"
RANKER_ITEM_FEATURES = "ranker_item_features.json"
INDEX = "index.faiss"
ITEM_VOCABULARY = "item_vocabulary.parquet"
USER_VOCABULARY = "user_vocabulary.parquet"
ITEM_IDS = "item_ids.arrow"
USER_IDS = "user_ids.arrow"
ITEMS = "items.parquet"
HISTORIES = "histories.parquet"
MAPPED_HISTORIES = "histories.arrow"
USERS = "users.parquet"
USER_COLUMNS = "user_columns.json"
#: By what similarity is measured by.
NEIGHBOURS: Mapping[SimilarityKind, str] = MappingProxyType(
    {"model": "neighbours.parquet", "content": "content_neighbours.parquet"}
)
POPULARITY = "popularity.npy"
NUM_INTERACTIONS = "num_interactions.npy"
KNOWN_ITEMS = "known_items.npy"
KNOWN_USERS = "known_users.npy"
TRAINING_SETTINGS = "training.yaml"
RANKER_TRAINING_SETTINGS = "ranker_training.yaml"
EXPORT_SETTINGS = "export.yaml"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle on disk; what is large is read when it is first asked for.

    Args:
        directory: where it is.
        manifest: what it says of itself.
        fingerprint: what tells it from any other bundle, see :func:`recsys.runtime.manifest.fingerprint_of`; None: it
            was not read from a directory.
    """

    directory: Path
    manifest: Manifest
    fingerprint: str | None = None

    @classmethod
    def open(cls, directory: Path | str, verify: bool = True) -> Bundle:
        """Open a bundle.

        Args:
            directory: where it is.
            verify: check the hash of every file.

        Raises:
            BundleError: it is missing, damaged or of another version, or was replaced while it was opened.
        """
        path = Path(directory)
        fingerprint, manifest = fingerprint_of(path), Manifest.read(path)
        if verify:
            check_files(path, dict(manifest.files))
            report_extra_files(path, manifest.files)
        if fingerprint_of(path) != fingerprint:
            raise BundleError(f"{path} was replaced by another bundle while it was opened. Open it again.")
        return cls(path, manifest, fingerprint)

    @property
    def has_ranker(self) -> bool:
        """Whether candidates are ranked by another model than the one that finds them."""
        return RANKER in self.manifest.files

    @property
    def has_explainer(self) -> bool:
        """Whether the model whose scores users see splits them exactly over the history."""
        return EXPLAINER in self.manifest.files

    def query_encoder(self, num_threads: int = 1) -> OnnxModel:
        """The model that encodes queries."""
        return OnnxModel(self.directory / QUERY_ENCODER, num_threads)

    def ranker(self, num_threads: int = 1) -> OnnxModel:
        """The model that ranks candidates.

        Raises:
            BundleError: the bundle has none.
        """
        if not self.has_ranker:
            raise BundleError(f"A ranker is required, but {self.directory} has none. Export it with ranker=DIR.")
        return OnnxModel(self.directory / RANKER, num_threads)

    def explainer(self, num_threads: int = 1) -> OnnxModel:
        """The model that splits scores over the history.

        Raises:
            BundleError: the bundle has none.
        """
        if not self.has_explainer:
            source = self.manifest.ranker or self.manifest.retriever
            raise BundleError(
                f"A model that explains its scores exactly is required, but {source.model} in {self.directory} does "
                "not. Take samples: recsys.runtime.explanations.onnx_explainer.bundle_explainer does."
            )
        return OnnxModel(self.directory / EXPLAINER, num_threads)

    def item_encoder(self, open_model: Callable[[str], OnnxModel] | None = None) -> ItemEncoder:
        """What encodes new items.

        Args:
            open_model: opens the model by its file name, where it is not to run in ONNX Runtime in this process.

        Raises:
            BundleError: the bundle has none.
        """
        if ITEM_ENCODER not in self.manifest.files:
            raise BundleError(
                f"A model that knows new items by their content is required, but {self.manifest.retriever.model} in "
                f"{self.directory} does not. Export a two_tower, or train again with the new items."
            )
        return self._encoder(ITEM_ENCODER, ITEM_FEATURES, open_model)

    def ranker_item_encoder(self, open_model: Callable[[str], OnnxModel] | None = None) -> ItemEncoder | None:
        """What encodes new items for the ranker; None where it scores none. Argument as above."""
        if RANKER_ITEM_ENCODER not in self.manifest.files:
            return None
        return self._encoder(RANKER_ITEM_ENCODER, RANKER_ITEM_FEATURES, open_model)

    @property
    def ranker_item_width(self) -> int | None:
        """Numbers of the vector that the ranker reads of a new item; None where it scores none."""
        if RANKER_ITEM_ENCODER not in self.manifest.files:
            return None
        return int(self.manifest.inputs[RANKER][NEW_ITEMS]["shape"][1])

    def _encoder(self, file: str, columns: str, open_model: Callable[[str], OnnxModel] | None) -> ItemEncoder:
        model = OnnxModel(self.directory / file) if open_model is None else open_model(file)
        return ItemEncoder(model, read_columns(self.directory / columns))

    def index(self, gpu: bool = False) -> CandidateIndex:
        """The index that finds candidates; each call gives one of its own.

        Args:
            gpu: whether FAISS searches on a GPU.

        Raises:
            RetrievalError: FAISS, or a GPU for it, is missing.
        """
        described = self.manifest.index
        if described.kind == "scores":
            return ScoreIndex(self.manifest.data.num_items)
        if described.kind == "exact":
            return ExactIndex(self.item_vectors())
        rescore = described.parameters.get("rescore")
        index = FaissIndex.load(
            self.directory / INDEX,
            self.manifest.data.num_items,
            described.dim,
            vectors=None if rescore is None else self.item_vectors(),
            rescore=rescore,
            gpu=gpu,
        )
        if "search_effort" in described.parameters:
            index.search_effort = described.parameters["search_effort"]
        return index

    def item_vectors(self) -> FloatArray:
        """The vectors of the items, shape [I, D], float32.

        Raises:
            BundleError: the model has none.
        """
        if self.manifest.index.kind == "scores":
            raise BundleError(
                f"Item vectors are required, but {self.manifest.retriever.model} in {self.directory} scores the "
                "catalogue without them."
            )
        return read_vectors(self.directory)

    @cached_property
    def item_vocabulary(self) -> Vocabulary:
        """Item ids and indices."""
        return Vocabulary.load(self.directory / ITEM_VOCABULARY, ITEM_ID)

    @cached_property
    def user_vocabulary(self) -> Vocabulary:
        """User ids and indices."""
        return Vocabulary.load(self.directory / USER_VOCABULARY, USER_ID)

    @cached_property
    def item_ids(self) -> IdIndex:
        """Where to find the ids of items; mapped, unless the bundle is older than the file.

        Raises:
            BundleError: the file is damaged.
        """
        return self._mapped_ids(ITEM_IDS, lambda: self.item_vocabulary)

    @cached_property
    def user_ids(self) -> IdIndex:
        """Where to find the ids of users; as above."""
        return self._mapped_ids(USER_IDS, lambda: self.user_vocabulary)

    def _mapped_ids(self, name: str, vocabulary: Callable[[], Vocabulary]) -> IdIndex:
        if name not in self.manifest.files:
            return IdIndex.of(vocabulary().ids)
        try:
            return IdIndex.map(self.directory / name)
        except (OSError, ValueError) as error:
            raise BundleError(f"{self.directory / name} cannot be read ({error}). Export the bundle again.") from error

    @cached_property
    def items(self) -> pa.Table:
        """Titles and columns, a row for each item index."""
        return pq.read_table(self.directory / ITEMS)

    def titles_of(self, item_ids: Sequence[str]) -> list[str]:
        """Titles of items by their ids, in the given order; the id where an item has none or is not in the bundle."""
        if TITLE not in self.items.column_names:
            return list(item_ids)
        indices = self.item_vocabulary.index_of(list(item_ids))
        titles = self.items.column(TITLE).take(pa.array(np.maximum(indices, 0))).cast(pa.string()).to_pylist()
        return [
            title if index >= 0 and title else item_id
            for item_id, index, title in zip(item_ids, indices, titles, strict=True)
        ]

    @cached_property
    def histories(self) -> RaggedItems:
        """What each user of the vocabulary has, oldest first, U lists; empty ones where the bundle has none.

        They are mapped, and shared by all processes that do so; read, 20 bytes an interaction, where the bundle is
        older than the file.

        Raises:
            BundleError: the file is damaged.
        """
        num_users = self.manifest.data.num_users
        if MAPPED_HISTORIES in self.manifest.files:
            path = self.directory / MAPPED_HISTORIES
            try:
                return map_histories(path, num_users)
            except (OSError, ValueError) as error:
                raise BundleError(f"{path} cannot be read ({error}). Export the bundle again.") from error
        if HISTORIES not in self.manifest.files:
            return RaggedItems.empty(num_users)
        table = pq.read_table(self.directory / HISTORIES)
        counts = np.bincount(table.column(USER_INDEX).to_numpy(), minlength=num_users)
        return RaggedItems(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            table.column(ITEM_INDEX).to_numpy().astype(np.int64),
            table.column(RATING).to_numpy() if RATING in table.column_names else None,
            table.column(TIMESTAMP).to_numpy() if TIMESTAMP in table.column_names else None,
        )

    @cached_property
    def user_columns(self) -> tuple[EncodedColumn, ...]:
        """The columns of users that the models read; none where no model reads any."""
        if USER_COLUMNS not in self.manifest.files:
            return ()
        return tuple(read_columns(self.directory / USER_COLUMNS))

    @cached_property
    def user_features(self) -> UserFeatures:
        """What these columns say of the users of the vocabulary; nothing where the bundle has no such table."""
        table = pq.read_table(self.directory / USERS) if USERS in self.manifest.files else None
        return UserFeatures(self.user_columns, table)

    @cached_property
    def popularity(self) -> IntArray:
        """Positive interactions of each item, shape [I], int64."""
        counts: IntArray = np.load(self.directory / POPULARITY, allow_pickle=False)
        return counts

    @cached_property
    def knowledge(self) -> tuple[Knowledge, ...]:
        """Of what finds candidates and, where there is one, of the ranker."""
        sources = [self.manifest.retriever, *([] if self.manifest.ranker is None else [self.manifest.ranker])]
        items, users = (np.load(self.directory / name, allow_pickle=False) for name in (KNOWN_ITEMS, KNOWN_USERS))
        return tuple(Knowledge(source.reads, items[row], users[row]) for row, source in enumerate(sources))

    @cached_property
    def num_interactions(self) -> IntArray:
        """All interactions of each item, shape [I], int64."""
        counts: IntArray = np.load(self.directory / NUM_INTERACTIONS, allow_pickle=False)
        return counts

    def neighbours(self, by: SimilarityKind) -> NeighbourTable | None:
        """The items that are most like each one, by the model or by content; None where there is no such table."""
        name = NEIGHBOURS[by]
        if name not in self.manifest.files:
            return None
        return NeighbourTable.read(self.directory / name, self.manifest.data.num_items)
