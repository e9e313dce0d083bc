"""The manifest of a bundle: what it was made of, what it promises, and the hash of each of its files and of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recsys.cli.commands import command_line
from recsys.data.id_types import IdTypes
from recsys.data.raw import FeatureColumn
from recsys.errors import BundleError
from recsys.runtime.checks.typed_json import from_json
from recsys.runtime.personalization.knowledge import Reads

BUNDLE_VERSION = 4
MANIFEST = "manifest.json"
#: The key of the manifest's own hash, which is that of all others.
HASH = "manifest_sha256"


@dataclass(frozen=True, slots=True)
class Source:
    """A run that the bundle was made of.

    Args:
        run: its directory, as it was given.
        model: name of the model's class.
        metrics: those of its test, flat.
        reads: what it reads of a request.
    """

    run: str
    model: str
    metrics: Mapping[str, float]
    reads: Reads


@dataclass(frozen=True, slots=True)
class BundleData:
    """The data that the models know.

    Args:
        name: of the data set.
        content_hash: of the prepared data.
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary.
        min_rating: what is rated lower does not enter a history; None: everything does.
        rating_range: the lowest and the highest rating; None where the data have none.
        item_features: the declared features of the items.
        content_column: the item column with several values by which lists are diverse; None where there is none.
        repeats: whether users have items more than once in their histories.
        id_types: the types that the ids had in the user's tables; in the bundle they are text.
    """

    name: str
    content_hash: str
    num_users: int
    num_items: int
    min_rating: float | None
    rating_range: tuple[float, float] | None
    item_features: tuple[FeatureColumn, ...]
    content_column: str | None
    repeats: bool = False
    id_types: IdTypes = field(default_factory=IdTypes)

    @property
    def separators(self) -> dict[str, str]:
        """What divides the values of a string, by item column."""
        return {one.name: one.separator for one in self.item_features if one.separator is not None}


@dataclass(frozen=True, slots=True)
class BundleIndex:
    """How candidates are found.

    Args:
        kind: ``exact``, ``faiss``, or ``scores`` where the encoder scores the catalogue itself.
        dim: of the query, D, or the number of items where the kind is ``scores``.
        storage: ``float32``, ``float16`` or ``int8``, of the vectors.
        factory: FAISS's description of the index; None for the others.
        parameters: of the search: ``search_effort`` and ``rescore``, where they are used.
        recall: share of the exact best 100 that it finds; 1 where it is exact.
    """

    kind: str
    dim: int
    storage: str = "float32"
    factory: str | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    recall: float = 1.0


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file: its SHA-256 and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` says.

    Args:
        bundle_version: of the format.
        name: of the bundle.
        created: local time, ISO 8601.
        retriever: the run that finds candidates.
        ranker: the run that orders them; None where there is none.
        data: what the models know.
        index: how candidates are found.
        folds_in: whether the retriever scores users that it was not trained with from a history.
        num_candidates: candidates that are ranked, unless a request says otherwise.
        floats_per_position: numbers that the models hold for each position of each history.
        max_history: latest interactions of a history that the models get; None: all.
        longest_history: that the models get of the users in the data.
        inputs: of the models: names, types and shapes.
        outputs: of the models: names, types and shapes.
        parity: what was compared with PyTorch, and the largest differences.
        neighbours: what similar items are measured by, for each kind of similarity that there is a table of.
        versions: of Python and of the libraries that matter.
        files: every file but the manifest, by name.
        exclude_seen: what happens to seen items where a request does not say, see
            :class:`recsys.retrieval.seen_policy.SeenPolicy`.
        filters: which items may be in any list, as requests have it; None: all.
        popular_days: what is popular is that of so many days before the newest interaction; None: of all time.
    """

    bundle_version: int
    name: str
    created: str
    retriever: Source
    ranker: Source | None
    data: BundleData
    index: BundleIndex
    folds_in: bool
    num_candidates: int
    floats_per_position: int
    max_history: int | None
    longest_history: int
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    parity: Mapping[str, Mapping[str, Any]]
    neighbours: Mapping[str, str]
    versions: Mapping[str, str]
    files: Mapping[str, BundleFile]
    exclude_seen: bool | Mapping[str, float] = True
    filters: Mapping[str, Any] | None = None
    popular_days: float | None = None

    def write(self, directory: Path) -> None:
        """Write ``manifest.json``."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        text = json.dumps({**content, HASH: _hash_of(content)}, indent=2, ensure_ascii=False)
        (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Read ``manifest.json``.

        Raises:
            BundleError: it is missing, damaged, changed or of another version of the format.
        """
        path = directory / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BundleError(
                f"A bundle is required, but {directory} has no {MANIFEST} that can be read. Make one: "
                f"{command_line('export')} run=DIR output=bundles/NAME"
            ) from error
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{path} is damaged ({error}). Export the bundle again.") from error
        found = content.get("bundle_version") if isinstance(content, dict) else None
        if found != BUNDLE_VERSION:
            raise BundleError(
                f"Bundles of version {BUNDLE_VERSION} are required, but {directory} is of version {found}. Export it "
                "again from its runs, or serve it with the version of recsys that wrote it."
            )
        stated = content.pop(HASH, None)
        if stated != _hash_of(content):
            raise BundleError(
                f"{path} was changed or damaged: what it says has another SHA-256 than it states. Export the bundle "
                "again with the settings that are wanted; a manifest is not edited."
            )
        try:
            manifest: Manifest = from_json(cls, content)
        except ValueError as error:
            raise BundleError(f"{path} is damaged: {error}. Export the bundle again.") from error
        return manifest


def fingerprint_of(directory: Path) -> str | None:
    """What tells the bundle in a directory from any other: the SHA-256 of its manifest; None where there is none.

    The manifest has the hash of every file, so that a bundle that was exported anew under the same name has another
    one.
    """
    try:
        return hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return None


def _hash_of(stated: Mapping[str, Any]) -> str:
    """The SHA-256 of what a manifest says, in whatever order and layout."""
    text = json.dumps(stated, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
