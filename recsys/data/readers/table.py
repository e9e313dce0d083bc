"""Reader of a user's own tables of interactions, users and items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from recsys.data.raw import RawDataset, RawSource
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.table_files import FileTable
from recsys.data.readers.tables.table_set import TableSet
from recsys.data.readers.tables.text_format import Header, parse_settings
from recsys.data.sources.locate import record
from recsys.data.sources.shards import table_file


class TableReader(StreamingReader):
    """Reads tables as delimited text, JSON lines or a JSON array (each also compressed as ``.gz``), or Parquet.

    A table may be in several files of one format: give their directory, or a pattern such as ``ratings/*.csv.gz``. They
    are read in the order of their names, as one table.

    Delimited text ends in ``.csv``, ``.tsv``, ``.txt`` or ``.dat``; its separator is recognised.

    Interactions need a user and an item; a rating, a timestamp and a weight are optional, other columns are ignored.
    Ids are text: whole numbers become their digits, and text keeps its leading zeros. Timestamps may be numbers or
    dates; see :func:`recsys.data.readers.timestamps.as_times`.

    All columns of users and items are kept; the features among them are declared or, if none are declared, inferred by
    :func:`recsys.data.readers.feature_kinds.infer_features`.

    Args:
        interactions: file (or directory, or pattern) of all interactions; otherwise give ``train`` and ``test``.
        train: file of the training interactions of data that come split.
        test: file of the test interactions.
        valid: file of the validation interactions, or None. Either all parts have a rating, or none has; the same
            holds for the timestamp.
        users: file of users, or None.
        items: file of items, or None.
        columns: names of the columns in the files, by the keys ``user``, ``item``, ``rating``, ``timestamp``,
            ``weight`` and ``title``. The first two are ``user_id`` and ``item_id`` unless given; the others may be None
            to leave them out, and a weight is read only where its column is named.
        user_features: columns of users that are features, and their kinds: a :class:`recsys.data.raw.FeatureKind`
            by its name, or ``{kind: multi_valued, separator: "|"}``. None to infer them, ``{}`` for none.
        item_features: the same for items.
        root: directory that relative paths start from; None for the current one.
        name: short name of the data set, used in paths and reports.
        separator: what separates the fields of text files, such as ``;`` or ``::``, or one for each table by its name;
            None to recognise it.
        encoding: that of text files, or one for each table; None for UTF-8, or what a byte order mark says.
        header: whether the first line of text files names the columns; or the names, for files without that line; or
            one of these for each table. False: columns are called by their positions, ``columns={"user": 0}``. None:
            there is a header, unless it looks like a row.
        day_first: whether the day comes before the month in dates such as ``03/04/2024``; None: as the dates tell.
        list_separators: what divides the values of text columns of users and items that hold several, by column, such
            as ``{"genres": ","}``; None for a column whose text is one value. Other columns are looked at.

    Raises:
        DataError: ``columns`` has another key, or a setting of the format is none.
    """

    def __init__(
        self,
        interactions: str | Path | None = None,
        train: str | Path | None = None,
        test: str | Path | None = None,
        valid: str | Path | None = None,
        users: str | Path | None = None,
        items: str | Path | None = None,
        columns: Mapping[str, str | int | None] | None = None,
        user_features: Mapping[str, Declaration] | None = None,
        item_features: Mapping[str, Declaration] | None = None,
        root: str | Path | None = None,
        name: str = "table",
        separator: str | Mapping[str, str | None] | None = None,
        encoding: str | Mapping[str, str | None] | None = None,
        header: Header | Mapping[str, Header] = None,
        day_first: bool | None = None,
        list_separators: Mapping[str, str | None] | None = None,
    ) -> None:
        start = Path(root or "").expanduser()
        given = {"interactions": interactions, "train": train, "valid": valid, "test": test}
        given |= {"users": users, "items": items}
        tables = {
            part: FileTable(
                table_file(start / Path(path).expanduser()), parse_settings(part, separator, encoding, header)
            )
            for part, path in given.items()
            if path is not None
        }
        self._set = TableSet.parse(name, tables, columns, user_features, item_features, day_first, list_separators)
        self.name = name

    def read(self) -> RawDataset:
        """Read the tables; see :class:`recsys.data.raw.Reader`."""
        return replace(self._set.read(), sources=self._sources())

    def num_bytes(self) -> int:
        """About the size of the interactions as text; see :class:`recsys.data.raw_stream.StreamingReader`."""
        return self._set.num_bytes()

    def stream(self) -> RawStream | str:
        """The tables with interactions in batches; see :class:`recsys.data.raw_stream.StreamingReader`."""
        stream = self._set.stream()
        return stream if isinstance(stream, str) else stream.with_sources(self._sources())

    def _sources(self) -> tuple[RawSource, ...]:
        return tuple(
            record(shard.path, str(shard)) for table in self._set.tables.values() for shard in table.file.shards()
        )

    def fingerprint(self) -> dict[str, object]:
        """The arguments and the files; see :class:`recsys.data.raw.Reader`."""
        tables = self._set.tables
        arguments = self._set.arguments() | {
            "parts": list(tables),
            "formats": [asdict(table.settings) for table in tables.values()],
        }
        return make_fingerprint(
            self, arguments, [shard.path for table in tables.values() for shard in table.file.shards()]
        )
