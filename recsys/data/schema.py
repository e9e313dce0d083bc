"""``schema.json``: describes a prepared directory and how it was made.

Its keys are the fields of :class:`Schema`. It is written last, so that a directory without it is incomplete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recsys.data.columns import FIRST_TIMESTAMP, SUBSECOND_NS, WEIGHT
from recsys.data.inspection.column_summary import ColumnSummary
from recsys.data.inspection.table_joins import TableJoin
from recsys.data.raw import FeatureColumn, FeatureKind, RawSource
from recsys.errors import PreparedDataError

#: Increased by one whenever the meaning of a file of the prepared directory changes.
FORMAT_VERSION = 1

#: Columns of interactions that only some data have, see :class:`recsys.data.interactions.Interactions`.
FURTHER_COLUMNS = (WEIGHT, SUBSECOND_NS, FIRST_TIMESTAMP)


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """One rule of preparation and what it removed.

    Args:
        rule: short name.
        statement: the rule in words.
        removed: how many of what were removed, for example ``{"interactions": 12}``.
        note: what else the rule did, in words with numbers.
    """

    rule: str
    statement: str
    removed: Mapping[str, int]
    note: str = ""

    def __str__(self) -> str:
        removed = ", ".join(f"{count:,} {what}" for what, count in self.removed.items() if count)
        return f"{self.rule} removed {removed or 'nothing'}" + (f": {self.note}" if self.note else "")


@dataclass(frozen=True, slots=True)
class RatingScale:
    """Smallest, largest and mean rating (or weight) of the data."""

    min: float
    max: float
    mean: float


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The first and the last timestamp, in seconds since 1970 or in the data's own clock."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Schema:
    """Description of a prepared directory.

    Args:
        name: short name of the data set.
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary.
        num_interactions: rows of ``interactions.parquet``, and of what was appended to it.
        num_positives: interactions that reach ``positive_threshold``.
        density: number of interactions divided by ``num_users * num_items``.
        rating: the rating scale; None where the data have no ratings.
        timestamp: the time range; None where the data have no timestamps.
        folds: interactions of each fold; None where the data come unsplit.
        num_fixed_negatives: negatives given for each user; None where there are none.
        positive_threshold: lowest rating of a positive interaction; None where all are positive.
        user_features: columns of ``users.parquet`` declared as features.
        item_features: columns of ``items.parquet`` declared as features.
        rules: what preparation removed, in the order of the rules.
        sources: the raw files.
        fingerprint: settings of the reader and of preparation that the directory was made with.
        content_hash: SHA-256 of the contents of all tables.
        weight: the smallest, largest and mean weight; None where each interaction counts 1.
        further_columns: columns of ``interactions.parquet`` that only some data have: those of
            :data:`FURTHER_COLUMNS` that are there.
        columns: what the columns of the raw tables hold; empty where an earlier version prepared the data.
        joins: how many users and items have a row in their table.
        notes: what the reader recognised, in sentences.
        warnings: what is seldom meant about the data, in sentences.
        generation: how often interactions were appended; 0: prepared as a whole.
        parent: content hash of the generation before; None: there is none.
        digests: hashes of the columns of each file of interactions, by file and column: later generations have the
            same files, and do not hash them again. Empty where an earlier version prepared the data.
    """

    name: str
    num_users: int
    num_items: int
    num_interactions: int
    num_positives: int
    density: float
    rating: RatingScale | None
    timestamp: TimeRange | None
    folds: Mapping[str, int] | None
    num_fixed_negatives: int | None
    positive_threshold: float | None
    user_features: tuple[FeatureColumn, ...]
    item_features: tuple[FeatureColumn, ...]
    rules: tuple[AppliedRule, ...]
    sources: tuple[RawSource, ...]
    fingerprint: Mapping[str, Any]
    content_hash: str
    weight: RatingScale | None = None
    further_columns: tuple[str, ...] = ()
    columns: tuple[ColumnSummary, ...] = ()
    joins: tuple[TableJoin, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    generation: int = 0
    parent: str | None = None
    digests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the schema as JSON."""
        content = {"format_version": FORMAT_VERSION, **asdict(self)}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Schema:
        """Read what :meth:`save` wrote.

        Raises:
            PreparedDataError: the file is no schema, or one of another format version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version = content.pop("format_version")
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise PreparedDataError(f"{path} is no readable schema ({error!r}). Prepare the data again.") from None
        if version != FORMAT_VERSION:
            cause = "a newer" if isinstance(version, int) and version > FORMAT_VERSION else "an older"
            raise PreparedDataError(
                f"{path} has format version {version}, this version of recsys reads {FORMAT_VERSION}: {cause} version "
                "of recsys wrote it. Prepare the data again, or use that version."
            )
        try:
            return cls(
                **content
                | {
                    "rating": content["rating"] and RatingScale(**content["rating"]),
                    "timestamp": content["timestamp"] and TimeRange(**content["timestamp"]),
                    # Directories of earlier versions have neither.
                    "weight": content.get("weight") and RatingScale(**content["weight"]),
                    "further_columns": tuple(content.get("further_columns", ())),
                    "user_features": _features(content["user_features"]),
                    "item_features": _features(content["item_features"]),
                    "rules": tuple(AppliedRule(**rule) for rule in content["rules"]),
                    "sources": tuple(RawSource(**source) for source in content["sources"]),
                    "columns": tuple(ColumnSummary(**column) for column in content.get("columns", ())),
                    "joins": tuple(TableJoin(**join) for join in content.get("joins", ())),
                    "notes": tuple(content.get("notes", ())),
                    "warnings": tuple(content.get("warnings", ())),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PreparedDataError(f"{path} lacks or misspells a key ({error}). Prepare the data again.") from None


def _features(content: list[dict[str, Any]]) -> tuple[FeatureColumn, ...]:
    return tuple(FeatureColumn(**entry | {"kind": FeatureKind(entry["kind"])}) for entry in content)
