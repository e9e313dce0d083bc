"""Preparation: turns the raw data of a reader into a prepared directory."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from recsys.cli.process.free_memory import release_free_memory
from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.data.inspection.null_ids import NullIds
from recsys.data.preparation.engines import Engine, read_raw
from recsys.data.preparation.invalid_rows import InvalidRows
from recsys.data.preparation.repeats import Repeats
from recsys.data.preparation.writing import write_prepared
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.prepared_files import locked, replaced_when_complete
from recsys.data.raw import Reader
from recsys.data.schema import FORMAT_VERSION
from recsys.errors import DataError, PreparedDataError

#: Settings that do not change what is prepared, and are no part of a fingerprint.
_WITHOUT_EFFECT = ("engine",)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings of preparation; everything else follows the rules in docs/data.md.

    Args:
        positive_threshold: lowest rating of a positive interaction, the implicit view of the ratings; None where
            every interaction is positive. All ratings are kept.
        min_user_interactions: positive interactions that a user needs to stay.
        min_item_interactions: positive interactions that an item needs to stay.
        include_unrated_items: whether rows of the items table without an interaction are part of the catalogue.
        invalid_rows: "error" to refuse rows without an id, a finite rating or weight or a credible timestamp, "drop"
            to leave them out.
        repeats: what becomes of several interactions of a user with one item: "latest", "first", "keep" or
            "aggregate", see :func:`recsys.data.preparation.repeats.resolve_repeats`.
        strip_ids: whether white space around ids is left out; otherwise "u1 " and "u1" are two users.
        null_ids: what ids such as "NaN" and "null" are, which programs write where a value is missing: "warn" for ids,
            with a warning, "keep" for ids, "missing" for missing ids, so that their rows are invalid; see
            :data:`recsys.data.inspection.null_ids.NULL_WORDS`.
        engine: how the interactions are gone through, which does not change the result: "memory" as a whole,
            "streaming" in partitions of the users, "ray" in partitions that the machines of a Ray cluster go through,
            "auto" in partitions where the files are large; see
            :func:`recsys.data.preparation.engines.read_raw`.

    Raises:
        DataError: a value is of another type or out of range.
    """

    positive_threshold: float | None = None
    min_user_interactions: int = 1
    min_item_interactions: int = 1
    include_unrated_items: bool = False
    invalid_rows: InvalidRows = "error"
    repeats: Repeats = "latest"
    strip_ids: bool = False
    null_ids: NullIds = "warn"
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        threshold = self.positive_threshold
        if threshold is not None:
            is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
            self._require("positive_threshold", is_number and math.isfinite(threshold), "a number or null")
            # 4 and 4.0 are the same choice, and must not lead to two directories.
            object.__setattr__(self, "positive_threshold", float(threshold))
        for name in ("min_user_interactions", "min_item_interactions"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            self._require(name, whole, "a whole number of at least 1")
        for name in ("include_unrated_items", "strip_ids"):
            self._require(name, isinstance(getattr(self, name), bool), "true or false")
        choices_of = {"invalid_rows": InvalidRows, "repeats": Repeats, "null_ids": NullIds, "engine": Engine}
        for name, choices in ((name, get_args(kind)) for name, kind in choices_of.items()):
            self._require(name, getattr(self, name) in choices, " or ".join(choices))

    def _require(self, name: str, holds: bool, required: str) -> None:
        if not holds:
            raise DataError(f"preparation.{name} must be {required}, but is {getattr(self, name)!r}. Correct it.")

    def prepare(self, reader: Reader, directory: Path) -> PreparedDataset:
        """Read, clean, index and write; an older prepared directory of that name is replaced.

        Raises:
            SourceError: the raw files could not be found, fetched or trusted.
            DataError: the raw data break a rule, or the rules leave nothing.
            PreparedDataError: ``directory`` holds something else, or cannot be written.

        Warns:
            DataWarning: something about the data is seldom meant.
        """
        with locked(directory):
            prepared = self._write(reader, directory, _fingerprint(reader, self))
        tell_again(prepared.schema.warnings)
        return prepared

    def _write(self, reader: Reader, directory: Path, fingerprint: dict[str, Any]) -> PreparedDataset:
        with collected_warnings() as warned:
            raw = [read_raw(reader, self.engine)]
            with replaced_when_complete(directory) as partial:
                # Handed over, so that the raw interactions are let go of as soon as they have been coded.
                write_prepared(raw.pop(), self, fingerprint, partial, warned)
        release_free_memory()
        return open_prepared(directory)


def prepared_directory(parent: Path, reader: Reader, preparation: Preparation) -> Path:
    """Path of the prepared data of these settings: ``parent/NAME-HASH``, different for different settings."""
    return _directory(parent, reader, _fingerprint(reader, preparation))


def _directory(parent: Path, reader: Reader, fingerprint: dict[str, Any]) -> Path:
    name = re.sub(r"[^\w.-]", "_", reader.name).strip(".") or "data"
    digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()
    return parent / f"{name}-{digest[:12]}"


def load_or_prepare(
    parent: Path,
    reader: Reader,
    preparation: Preparation,
    on_prepared: Callable[[PreparedDataset], None] = lambda prepared: None,
) -> PreparedDataset:
    """Open the prepared data of these settings, and prepare them first where they are missing or incomplete.

    Processes that ask for the same data at the same time wait for the first of them.

    Args:
        parent: directory of all prepared data.
        reader: reads the raw data.
        preparation: the settings.
        on_prepared: is told of data that were prepared now.

    Raises:
        SourceError: the raw files could not be found, fetched or trusted.
        DataError: the raw data break a rule, or the rules leave nothing.
        PreparedDataError: the directory cannot be written.

    Warns:
        DataWarning: something about the data is seldom meant; also of data that were prepared before.
    """
    fingerprint = _fingerprint(reader, preparation)
    directory = _directory(parent, reader, fingerprint)
    prepared = _reusable(directory, fingerprint)
    if prepared is None:
        with locked(directory):
            prepared = _reusable(directory, fingerprint)
            if prepared is None:
                prepared = preparation._write(reader, directory, fingerprint)
                on_prepared(prepared)
    tell_again(prepared.schema.warnings)
    return prepared


def _reusable(directory: Path, fingerprint: dict[str, Any]) -> PreparedDataset | None:
    try:
        prepared = open_prepared(directory)
    except PreparedDataError:
        return None
    return prepared if prepared.schema.fingerprint == fingerprint else None


def _fingerprint(reader: Reader, preparation: Preparation) -> dict[str, Any]:
    """Everything that the prepared data depend on, as JSON types."""
    fingerprint = {
        "format_version": FORMAT_VERSION,
        "reader": reader.fingerprint(),
        "preparation": {name: value for name, value in asdict(preparation).items() if name not in _WITHOUT_EFFECT},
    }
    return dict(json.loads(json.dumps(fingerprint)))
