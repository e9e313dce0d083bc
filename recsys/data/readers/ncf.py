"""Reader of the fixed split and fixed negatives of the NCF protocol.

Each user's last item is the test item; it is ranked among 99 fixed negatives, drawn at random once. (X. He et al.,
"Neural Collaborative Filtering", WWW 2017.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data.columns import FOLD, FOLD_TEST, FOLD_TRAIN, ITEM_ID, TITLE, USER_ID
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset
from recsys.data.raw_stream import Batches, InTurn, RawStream, StreamingReader
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.ncf_files import (
    batches_from_parquet,
    batches_from_text,
    interactions_from_parquet,
    interactions_from_text,
    items_from_parquet,
    negatives_from_parquet,
    negatives_from_text,
    users_from_parquet,
)
from recsys.data.sources.layout import FoundFiles, Layout, find_in_directory
from recsys.data.sources.locate import record
from recsys.errors import SourceError

_PARQUET = Layout(
    "parquet", ("train.parquet", "test.parquet", "negatives.parquet"), optional=("items.parquet", "users.parquet")
)
_USER_FEATURES = tuple(
    FeatureColumn(name, FeatureKind.CATEGORICAL) for name in ("gender", "age", "occupation", "zip_code")
)
_ITEM_FEATURES = (
    FeatureColumn("genres", FeatureKind.MULTI_VALUED),
    FeatureColumn("year", FeatureKind.NUMBER),
    FeatureColumn(TITLE, FeatureKind.TEXT),
)
_TRAIN, _TEST, _NEGATIVES = ".train.rating", ".test.rating", ".test.negative"


class NcfReader(StreamingReader):
    """Reads the fixed split and negatives of the NCF protocol.

    Rows stay as they are in the files, repeated ones included. Ratings and timestamps are read only if both training
    and test rows have them.

    Args:
        root: directory with either

            - ``train.parquet`` and ``test.parquet`` (columns ``user``, ``item``, optionally ``rating``,
              ``timestamp``), ``negatives.parquet`` (``user`` and ``negatives``, a list of items), and optionally
              ``items.parquet`` (``item``, ``movie_id``, ``title``, ``genres`` separated by ``|``) and ``users.parquet``
              (``user``, ``gender``, ``age``, ``occupation``, ``zipcode``); or
            - the text files of the authors: ``NAME.train.rating``, ``NAME.test.rating`` (user, item, rating,
              timestamp, separated by tabs) and ``NAME.test.negative`` (``(user,item)`` and its negatives).
        dataset: NAME of the text files, needed only if the directory has those of several data sets.
    """

    name = "ncf"

    def __init__(self, root: str | Path | None = None, dataset: str | None = None) -> None:
        self.root = root
        self.dataset = dataset

    def read(self) -> RawDataset:
        """Read the split and its negatives; see :class:`recsys.data.raw.Reader`."""
        found = self._find()
        is_parquet = found.layout == _PARQUET.name
        train_file = found["train.parquet" if is_parquet else _TRAIN]
        train = interactions_from_parquet(train_file) if is_parquet else interactions_from_text(train_file)
        test = self._test(found)
        shared = [name for name in train.column_names if name in test.column_names]
        folded = [_with_fold(part.select(shared), fold) for part, fold in ((train, FOLD_TRAIN), (test, FOLD_TEST))]
        return self._with(pa.concat_tables(folded).unify_dictionaries(), found, test)

    def num_bytes(self) -> int:
        """About the size of the interactions as text; see :class:`recsys.data.raw_stream.StreamingReader`."""
        found = self._find()
        names = ("train.parquet", "test.parquet") if found.layout == _PARQUET.name else (_TRAIN, _TEST)
        return sum(found[name].num_bytes() for name in names)

    def stream(self) -> RawStream:
        """The training rows in batches, then those of the test; see :class:`recsys.data.raw_stream.StreamingReader`."""
        found = self._find()
        if found.layout == _PARQUET.name:
            from_parquet = batches_from_parquet(found["train.parquet"])
            schema, train = from_parquet.schema, from_parquet.batches
        else:
            from_text = batches_from_text(found[_TRAIN])
            schema, train = from_text.empty().schema, from_text.batches
        test = self._test(found)
        shared = tuple(name for name in schema.names if name in test.column_names)
        parts: tuple[Batches, ...] = (
            _NcfBatches(train, shared, FOLD_TRAIN),
            _NcfBatches(_Whole(_with_plain_ids(test)), shared, FOLD_TEST),
        )
        empty = _with_fold(schema.empty_table().select(shared), FOLD_TRAIN)
        return RawStream(self._with(empty, found, test), InTurn(parts), self.num_bytes(), parts)

    @staticmethod
    def _test(found: FoundFiles) -> pa.Table:
        """The test rows: one for each user, which the negatives are checked against."""
        if found.layout == _PARQUET.name:
            return interactions_from_parquet(found["test.parquet"])
        return interactions_from_text(found[_TEST])

    def _with(self, interactions: pa.Table, found: FoundFiles, test: pa.Table) -> RawDataset:
        """The interactions with everything else."""
        if found.layout == _PARQUET.name:
            negatives = negatives_from_parquet(found["negatives.parquet"], test)
        else:
            negatives = negatives_from_text(found[_NEGATIVES], test)
        users, items = found.get("users.parquet"), found.get("items.parquet")
        return RawDataset(
            name=self.name,
            interactions=interactions,
            users=None if users is None else users_from_parquet(users),
            items=None if items is None else items_from_parquet(items),
            user_features=() if users is None else _USER_FEATURES,
            item_features=() if items is None else _ITEM_FEATURES,
            fixed_negatives=negatives,
            sources=tuple(record(path, str(path)) for path in found.containers()),
        )

    def fingerprint(self) -> dict[str, object]:
        """The files under ``root``; see :class:`recsys.data.raw.Reader`."""
        return make_fingerprint(self, {"dataset": self.dataset}, self._find().containers())

    def _find(self) -> FoundFiles:
        if self.root is None:
            raise SourceError("data=ncf needs the directory with the split: give it as data.root=DIR.")
        directory = Path(self.root).expanduser()
        if not directory.is_dir():
            raise SourceError(
                f"data.root={self.root} must be a directory with the split, but is none. Correct the path."
            )
        names = sorted(path.name.removesuffix(_TRAIN) for path in directory.glob(f"*{_TRAIN}"))
        if self.dataset is not None:
            names = [self.dataset]
        if len(names) > 1:
            raise SourceError(
                f"data.root={self.root} has the splits of {', '.join(names)}. Choose one with data.dataset=NAME."
            )
        layouts = [_PARQUET] if self.dataset is None else []
        name = names[0] if names else "NAME"
        layouts.append(Layout("text", (f"{name}{_TRAIN}", f"{name}{_TEST}", f"{name}{_NEGATIVES}")))
        try:
            found = find_in_directory(directory, layouts)
        except SourceError as error:
            raise SourceError(
                f"data.root={self.root}: {error}. Needed are {' or '.join(map(str, layouts))}."
            ) from error
        if found.layout == "text":
            return FoundFiles("text", {key.removeprefix(name): file for key, file in found.files.items()})
        return found


def _with_plain_ids(table: pa.Table) -> pa.Table:
    """The rows with ids as plain strings, as those of batches are."""
    for name in (USER_ID, ITEM_ID):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table


@dataclass(frozen=True, slots=True)
class _Whole:
    table: pa.Table

    def __call__(self) -> Iterator[pa.Table]:
        yield self.table


@dataclass(frozen=True, slots=True)
class _NcfBatches:
    """Columns of batches, with the fold that all their rows are in."""

    batches: Batches
    columns: tuple[str, ...]
    fold: str

    def __call__(self) -> Iterator[pa.Table]:
        for batch in self.batches():
            yield _with_fold(batch.select(self.columns), self.fold)


def _with_fold(table: pa.Table, fold: str) -> pa.Table:
    indices = pa.array(np.zeros(len(table), dtype=np.int8))
    return table.append_column(FOLD, pa.DictionaryArray.from_arrays(indices, pa.array([fold])))
