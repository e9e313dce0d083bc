"""Reads a prepared directory again: training takes it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.data.columns import FOLD, FOLDS, ITEM_ID, ITEM_INDEX, USER_ID, USER_INDEX
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.raw import RawDataset
from recsys.errors import DataError


class PreparedReader:
    """Data that are prepared already, such as a generation that interactions were appended to.

    Commands that prepare and train take the directory as it is, whatever ``preparation`` says, since indices must not
    move. What :meth:`read` gives are its tables by ids.

    Args:
        directory: a prepared directory; required by all that is read.
        table: settings of ``data=table`` (``columns``, ``separator``, ...) for tables that are appended to it; None:
            what is usual.
    """

    def __init__(self, directory: str | Path | None = None, table: Mapping[str, Any] | None = None) -> None:
        self.directory = None if directory is None else Path(directory).expanduser()
        self.table = dict(table or {})
        self.name = "prepared" if self.directory is None else self.directory.name

    def open(self) -> PreparedDataset:
        """The data.

        Raises:
            DataError: no directory is given.
            PreparedDataError: the directory is missing or damaged.
        """
        if self.directory is None:
            raise DataError("data=prepared needs a prepared directory: data.directory=DIR, as prepare.py prints it.")
        return open_prepared(self.directory)

    def read(self) -> RawDataset:
        """The tables by ids; see :class:`recsys.data.raw.Reader`."""
        prepared = self.open()
        rows = prepared.interactions
        columns: dict[str, pa.Array] = {
            USER_ID: pa.DictionaryArray.from_arrays(pa.array(rows.user_index), prepared.user_vocabulary.ids),
            ITEM_ID: pa.DictionaryArray.from_arrays(pa.array(rows.item_index), prepared.item_vocabulary.ids),
        }
        for name in ("rating", "timestamp", "weight", "subsecond_ns"):
            if (values := getattr(rows, name)) is not None:
                columns[name] = pa.array(values)
        if rows.fold is not None:
            columns[FOLD] = pa.DictionaryArray.from_arrays(pa.array(rows.fold), pa.array(FOLDS))
        return RawDataset(
            name=prepared.schema.name,
            interactions=pa.table(columns),
            users=prepared.users.drop_columns([USER_INDEX]),
            items=prepared.items.drop_columns([ITEM_INDEX]),
            user_features=prepared.schema.user_features,
            item_features=prepared.schema.item_features,
            sources=prepared.schema.sources,
        )

    def fingerprint(self) -> dict[str, object]:
        """The hash of the contents; see :class:`recsys.data.raw.Reader`."""
        return {"reader": "PreparedReader", "content_hash": self.open().schema.content_hash}
