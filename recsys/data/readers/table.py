"""Reader of a user's own tables of interactions, users and items."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data.columns import FOLD, FOLD_TEST, FOLD_TRAIN, FOLD_VALID, ITEM_ID, SUBSECOND_NS, USER_ID
from recsys.data.raw import FeatureColumn, RawDataset
from recsys.data.readers.feature_kinds import Declaration, declare_features, infer_features
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.table_files import ColumnNames, read_entities, read_interactions
from recsys.data.sources.locate import record
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError, SourceError


class TableReader:
    """Reads tables as CSV, TSV, JSON lines (each also compressed as ``.gz``) or Parquet.

    Interactions need a user and an item; a rating, a timestamp and a weight are optional, other columns are ignored.
    Ids are text: whole numbers become their digits, and text keeps its leading zeros. Timestamps may be numbers or
    dates; see :func:`recsys.data.readers.timestamps.as_times`.

    All columns of users and items are kept; the features among them are declared or, if none are declared, inferred by
    :func:`recsys.data.readers.feature_kinds.infer_features`.

    Args:
        interactions: file of all interactions; otherwise give ``train`` and ``test``.
        train: file of the training interactions of data that come split.
        test: file of the test interactions.
        valid: file of the validation interactions, or None. A rating or timestamp is read only if all parts have it.
        users: file of users, or None.
        items: file of items, or None.
        columns: names of the columns in the files, by the keys ``user``, ``item``, ``rating``, ``timestamp``,
            ``weight``. The first two are ``user_id`` and ``item_id`` unless given; the others may be None to leave them
            out, and a weight is read only where its column is named.
        user_features: columns of users that are features, and their kinds: a :class:`recsys.data.raw.FeatureKind`
            by its name, or ``{kind: multi_valued, separator: "|"}``. None to infer them, ``{}`` for none.
        item_features: the same for items.
        root: directory that relative paths start from; None for the current one.
        name: short name of the data set, used in paths and reports.

    Raises:
        DataError: ``columns`` has another key.
    """

    def __init__(
        self,
        interactions: str | Path | None = None,
        train: str | Path | None = None,
        test: str | Path | None = None,
        valid: str | Path | None = None,
        users: str | Path | None = None,
        items: str | Path | None = None,
        columns: Mapping[str, str | None] | None = None,
        user_features: Mapping[str, Declaration] | None = None,
        item_features: Mapping[str, Declaration] | None = None,
        root: str | Path | None = None,
        name: str = "table",
    ) -> None:
        start = Path(root or "").expanduser()
        given = {"interactions": interactions, "train": train, "valid": valid, "test": test}
        given |= {"users": users, "items": items}
        self._files = {
            part: RawFile(start / Path(path).expanduser()) for part, path in given.items() if path is not None
        }
        names = dict(columns or {})
        unknown = sorted(set(names) - {"user", "item", "rating", "timestamp", "weight"})
        if unknown or None in (names.get("user", USER_ID), names.get("item", ITEM_ID)):
            raise DataError(
                "data.columns takes user and item, and rating, timestamp and weight, which may be null; it came as "
                f"{names!r}. Correct it."
            )
        self._columns = ColumnNames(**names)  # type: ignore[arg-type]
        self._user_features = user_features
        self._item_features = item_features
        self.name = name

    def read(self) -> RawDataset:
        """Read the tables; see :class:`recsys.data.raw.Reader`."""
        self._check_parts()
        interactions = self._read_interactions()
        users, user_features = self._read_entities("users", self._columns.user, USER_ID, self._user_features)
        items, item_features = self._read_entities("items", self._columns.item, ITEM_ID, self._item_features)
        return RawDataset(
            name=self.name,
            interactions=interactions,
            users=users,
            items=items,
            user_features=user_features,
            item_features=item_features,
            sources=tuple(record(file.path, str(file)) for file in self._files.values()),
        )

    def fingerprint(self) -> dict[str, object]:
        """The arguments and the files; see :class:`recsys.data.raw.Reader`."""
        self._check_parts()
        columns = self._columns
        arguments = {
            "name": self.name,
            "parts": list(self._files),
            "columns": [columns.user, columns.item, columns.rating, columns.timestamp, columns.weight],
            "user_features": _plain(self._user_features),
            "item_features": _plain(self._item_features),
        }
        return make_fingerprint(self, arguments, [file.path for file in self._files.values()])

    def _check_parts(self) -> None:
        parts = [part for part in ("interactions", "train", "valid", "test") if part in self._files]
        if parts not in (["interactions"], ["train", "test"], ["train", "valid", "test"]):
            raise SourceError(
                "data=table needs the interactions: either data.interactions=FILE, or data.train=FILE and "
                f"data.test=FILE (and perhaps data.valid=FILE). Given: {', '.join(parts) or 'none of them'}."
            )

    def _read_interactions(self) -> pa.Table:
        if "interactions" in self._files:
            return read_interactions(self._files["interactions"], self._columns)
        folds = {"train": FOLD_TRAIN, "valid": FOLD_VALID, "test": FOLD_TEST}
        parts = {
            fold: read_interactions(self._files[part], self._columns)
            for part, fold in folds.items()
            if part in self._files
        }
        if any(SUBSECOND_NS in part.column_names for part in parts.values()):
            parts = {fold: _with_subseconds(part) for fold, part in parts.items()}
        shared = [
            name for name in parts[FOLD_TRAIN].column_names if all(name in p.column_names for p in parts.values())
        ]
        folded = []
        for fold, part in parts.items():
            indices = pa.array(np.zeros(len(part), dtype=np.int8))
            column = pa.DictionaryArray.from_arrays(indices, pa.array([fold]))
            folded.append(part.select(shared).append_column(FOLD, column))
        return pa.concat_tables(folded, promote_options="permissive").unify_dictionaries()

    def _read_entities(
        self, part: str, id_name: str, role: str, declared: Mapping[str, Declaration] | None
    ) -> tuple[pa.Table | None, tuple[FeatureColumn, ...]]:
        option = f"data.{part.removesuffix('s')}_features"
        if part not in self._files:
            if declared:
                raise DataError(f"{option} declares {', '.join(declared)}, but there is no data.{part}. Give its file.")
            return None, ()
        table = read_entities(self._files[part], id_name, role)
        if declared is None:
            return table, infer_features(table, role)
        return declare_features(table, declared, role, str(self._files[part]), option)


def _with_subseconds(part: pa.Table) -> pa.Table:
    """``part`` with parts of a second, all zero where it has none."""
    if SUBSECOND_NS in part.column_names:
        return part
    return part.append_column(SUBSECOND_NS, pa.array(np.zeros(len(part), dtype=np.int32)))


def _plain(declared: Mapping[str, Declaration] | None) -> dict[str, object] | None:
    if declared is None:
        return None
    return {name: kind if isinstance(kind, str) else dict(kind) for name, kind in declared.items()}
