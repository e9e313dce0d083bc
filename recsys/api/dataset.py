"""A data set as a notebook has it: made from tables, opened or loaded by its name, and split."""

from __future__ import annotations

import functools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from recsys.api.composition import choices_of, composed, plain, require_choice
from recsys.api.console_text import as_text_of_console
from recsys.api.ids import as_text, restored
from recsys.api.python_wording import in_python, python_wording
from recsys.api.typed_reader import TypedReader
from recsys.data.columns import ITEM_ID, ITEM_INDEX, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, USER_INDEX, WEIGHT
from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.data.id_types import IdTypes, noted_id_types
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.prepared_files import locked, replaced_when_complete
from recsys.data.preparing import Preparation
from recsys.data.raw import Reader
from recsys.errors import DataError, SettingsError
from recsys.reporting.preparation_report import print_preparation
from recsys.runs.assembly import build_data

if TYPE_CHECKING:
    from recsys.api.data_split import DataSplit


class _LoadsByName(type):
    """Gives :class:`Dataset` a constructor for each data set of ``configs/data``: ``Dataset.movielens_100k()``."""

    def __getattr__(cls, name: str) -> Callable[..., Dataset]:
        if name.startswith("_") or name not in choices_of("data"):
            raise AttributeError(
                f"Dataset has no {name!r}. Data sets by their names: {', '.join(choices_of('data'))}; your own tables: "
                "Dataset.from_pandas, from_polars, from_arrow or from_files."
            )
        return functools.partial(cls.load, name)


class Dataset(metaclass=_LoadsByName):
    """Interactions of users with items, checked and indexed.

    Make one with :meth:`from_pandas`, :meth:`from_polars`, :meth:`from_arrow`, :meth:`from_files`, :meth:`open` or
    :meth:`load`, or by the name of a data set: ``Dataset.movielens_100k()``.

    Args:
        prepared: the data.
        config: the settings ``data`` and ``preparation`` that they were made with; None where they were made in memory
            or opened.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [7, 8, 7]})
        >>> len(Dataset.from_pandas(table, name="small"))
        3
    """

    def __init__(self, prepared: PreparedDataset, config: DictConfig | None = None) -> None:
        self.prepared = prepared
        self.config = config
        #: Whether the prepared directory goes with this object.
        self.is_temporary = False

    @classmethod
    @python_wording
    def from_pandas(
        cls,
        interactions: Any,
        items: Any = None,
        users: Any = None,
        columns: Mapping[str, str | None] | None = None,
        *,
        item_features: Mapping[str, Any] | None = None,
        user_features: Mapping[str, Any] | None = None,
        name: str = "table",
        directory: str | Path | None = None,
        strict: bool = False,
        day_first: bool | None = None,
        list_separators: Mapping[str, str | None] | None = None,
        **preparation: Any,
    ) -> Dataset:
        """A data set from tables of pandas; tables of Polars and Arrow are taken as well.

        Args:
            interactions: a row for each interaction, with the columns ``user_id`` and ``item_id`` and, where there are
                such, ``rating`` and ``timestamp``; other columns are left out, but for a weight that ``columns`` names.
            items: a row for each item, with ``item_id`` and any other columns; None: nothing is known of them.
            users: the same for users.
            columns: the names of the columns in these tables, by ``user``, ``item``, ``rating``, ``timestamp``,
                ``weight``; all but the first two may be None to leave them out.
            item_features: columns of items that are features, and their kinds, such as ``{"genres": {"kind":
                "multi_valued", "separator": "|"}, "year": "number"}``; None to infer them.
            user_features: the same for users.
            name: of the data set, in reports.
            directory: where the prepared data are kept; None: for as long as this object is there, in a temporary one.
            strict: whether a warning about the data is an error.
            day_first: whether the day comes before the month in dates such as ``03/04/2024``; None to find out.
            list_separators: what divides the values of text columns that hold several, such as ``{"genres": ","}``;
                None for a column whose text is one value. Other columns are looked at.
            preparation: settings of :class:`recsys.data.preparing.Preparation`, such as ``positive_threshold=4``.

        Raises:
            DataError: a column is missing, or values are not what they should be.
            SettingsError: there is no such setting of preparation.
        """
        tables = {"interactions": interactions, "items": items, "users": users}
        reader = TypedReader.of(
            {part: table for part, table in tables.items() if table is not None},
            columns=columns,
            item_features=item_features,
            user_features=user_features,
            name=name,
            day_first=day_first,
            list_separators=list_separators,
        )
        return cls._prepare(reader, _preparation(preparation), directory, strict)

    @classmethod
    def from_polars(cls, interactions: Any, items: Any = None, users: Any = None, **settings: Any) -> Dataset:
        """A data set from tables of Polars, lazy ones too; arguments as for :meth:`from_pandas`."""
        return cls.from_pandas(interactions, items, users, **settings)

    @classmethod
    def from_arrow(cls, interactions: Any, items: Any = None, users: Any = None, **settings: Any) -> Dataset:
        """A data set from Arrow tables, or whatever exports them; arguments as for :meth:`from_pandas`."""
        return cls.from_pandas(interactions, items, users, **settings)

    @classmethod
    def from_files(
        cls,
        interactions: str | Path | None = None,
        items: str | Path | None = None,
        users: str | Path | None = None,
        columns: Mapping[str, str | None] | None = None,
        *,
        directory: str | Path | None = None,
        strict: bool = False,
        **settings: Any,
    ) -> Dataset:
        """A data set from files: CSV, TSV, JSON lines, Parquet.

        Args:
            interactions: of all interactions; otherwise ``train=`` and ``test=``.
            items: of items.
            users: of users.
            columns: as for :meth:`from_pandas`.
            directory: below which prepared data are kept; None: ``data/prepared``, as the commands have it.
            strict: whether a warning about the data is an error.
            settings: further ones of ``data=table`` (docs/data.md) and of preparation.

        Raises:
            SourceError: a file cannot be read.
            DataError: a column is missing, or values are not what they should be.
        """
        files = {"interactions": interactions, "items": items, "users": users, "columns": columns}
        given = {key: value for key, value in files.items() if value is not None}
        return cls.load("table", directory=directory, strict=strict, **{**given, **settings})

    @classmethod
    @python_wording
    def load(
        cls, source: str, *, directory: str | Path | None = None, strict: bool = False, **settings: Any
    ) -> Dataset:
        """A data set by the name of its configuration, such as ``movielens_100k``; fetched where it is not there.

        Args:
            source: a file of ``configs/data``.
            directory: below which prepared data are kept; None: ``data/prepared``, as the commands have it.
            strict: whether a warning about the data is an error.
            settings: of that configuration and of preparation, such as ``positive_threshold=4``.

        Raises:
            SettingsError: there is no such data set or setting.
            SourceError: the files could not be found, fetched or trusted.
        """
        require_choice("data", source)
        names = {field.name for field in fields(Preparation)}
        values = {f"preparation.{key}" if key in names else f"data.{key}": value for key, value in settings.items()}
        if directory is not None:
            values["paths.prepared_dir"] = str(directory)
        config = composed("prepare", {"data": source}, values)
        config.strict = strict
        with collected_warnings() as warned:
            prepared = build_data(config, on_prepared=lambda prepared: None)
        tell_again(map(in_python, warned))
        return cls(prepared, config)

    @classmethod
    @python_wording
    def open(cls, directory: str | Path) -> Dataset:
        """A prepared directory, as ``scripts/prepare.py`` and :meth:`save` leave it.

        Raises:
            PreparedDataError: there is none, or it is incomplete, damaged or of another version.
        """
        return cls(open_prepared(Path(directory)))

    @classmethod
    def _prepare(cls, reader: Reader, preparation: Preparation, directory: str | Path | None, strict: bool) -> Dataset:
        if directory is not None:
            return cls(_prepared(reader, preparation, Path(directory), strict))
        scratch = tempfile.mkdtemp(prefix="recsys-")
        try:
            data = cls(_prepared(reader, preparation, Path(scratch) / "data", strict))
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        data.is_temporary = True
        weakref.finalize(data, shutil.rmtree, scratch, ignore_errors=True)
        return data

    def save(self, directory: str | Path) -> Dataset:
        """Keep the prepared data in a new directory, to be opened with :meth:`open`.

        Raises:
            PreparedDataError: something else is there, or it cannot be written.
        """
        target = Path(directory)
        with locked(target), replaced_when_complete(target) as partial:
            shutil.copytree(self.prepared.directory, partial, dirs_exist_ok=True)
        return Dataset(open_prepared(target), self.config)

    @python_wording
    def split(
        self, strategy: str = "default", *, seed: int = 42, view: str | None = None, **settings: Any
    ) -> DataSplit:
        """Divide the interactions into training, validation and test.

        Args:
            strategy: a file of ``configs/split``: ``leave_last_out``, ``random_ratio``, ``temporal`` ...
            seed: of what is drawn.
            view: ``implicit`` to divide the positives, ``explicit`` to divide all ratings; None: as a model learns.
            settings: of the strategy, such as ``test_ratio=0.1``.

        Raises:
            SettingsError: there is no such strategy or setting.
            SplitError: the data do not have what the strategy needs.
        """
        from recsys.api.data_split import DataSplit

        require_choice("split", strategy)
        values = {f"split.{key}": value for key, value in settings.items()}
        config = composed("train", {"split": strategy, "seed": seed, "name": "split"}, values)
        return DataSplit(self, config.split, view)

    @functools.cached_property
    def id_types(self) -> IdTypes:
        """The types that the ids have outside."""
        return noted_id_types(self.prepared.schema)

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.prepared.schema.name

    @property
    def num_users(self) -> int:
        """Users with an interaction."""
        return self.prepared.schema.num_users

    @property
    def num_items(self) -> int:
        """Items of the catalogue."""
        return self.prepared.schema.num_items

    @property
    def user_ids(self) -> pd.Series:
        """Ids of all users, in the type of the user's table."""
        return restored(self.prepared.user_vocabulary.ids, self.id_types.user).rename(USER_ID)

    @property
    def item_ids(self) -> pd.Series:
        """Ids of all items, in the type of the user's table."""
        return restored(self.prepared.item_vocabulary.ids, self.id_types.item).rename(ITEM_ID)

    @property
    def users(self) -> pd.DataFrame:
        """One row for each user: ``user_id`` and the other columns."""
        return _described(self.prepared.users, USER_INDEX, USER_ID, self.user_ids)

    @property
    def items(self) -> pd.DataFrame:
        """One row for each item: ``item_id`` and the other columns."""
        return _described(self.prepared.items, ITEM_INDEX, ITEM_ID, self.item_ids)

    @property
    def interactions(self) -> pd.DataFrame:
        """All interactions, with the columns that the data have."""
        return self.frame_of(self.prepared.interactions)

    def frame_of(self, interactions: Interactions) -> pd.DataFrame:
        """Interactions of this data set with their ids; times are in seconds since 1970 (or the data's own clock).

        Where the data have weights, or times finer than seconds, there are ``weight`` and ``subsecond_ns`` as well.
        """
        columns: dict[str, Any] = {
            USER_ID: self.user_ids.take(interactions.user_index).to_numpy(),
            ITEM_ID: self.item_ids.take(interactions.item_index).to_numpy(),
        }
        if interactions.rating is not None:
            columns[RATING] = interactions.rating
        if interactions.timestamp is not None:
            columns[TIMESTAMP] = interactions.timestamp
        for name in (SUBSECOND_NS, WEIGHT):
            if (values := getattr(interactions, name)) is not None:
                columns[name] = values
        frame = pd.DataFrame(columns)
        return frame.astype({USER_ID: self.user_ids.dtype, ITEM_ID: self.item_ids.dtype})

    def titles(self, item_ids: Any) -> list[str]:
        """Titles of items by their ids; the id where an item has none."""
        return self.prepared.titles_of(as_text(item_ids, "item_ids"))

    def recommend(self, model: Any, k: int = 10, **options: Any) -> pd.DataFrame:
        """The lists of all users by a fitted model: ``model.recommend(data.users, k)``."""
        lists: pd.DataFrame = model.recommend(self.user_ids, k, **options)
        return lists

    def __len__(self) -> int:
        return len(self.prepared.interactions)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}: {self.num_users:,} users, {self.num_items:,} items, {len(self):,} interactions)"

    def describe(self) -> str:
        """What preparation found: the columns, sizes and ranges, and what each rule did, as text."""
        return in_python(as_text_of_console(lambda console: print_preparation(self.prepared, console)))


def _prepared(reader: Reader, preparation: Preparation, directory: Path, strict: bool) -> PreparedDataset:
    """Prepare tables, and give the warnings about them.

    Raises:
        DataError: there is a warning, and ``strict`` makes it an error.
    """
    with collected_warnings() as warned:
        prepared = preparation.prepare(reader, directory)
    if warned and strict:
        raise DataError(f"{' '.join(warned)} This is an error because of strict=True.")
    tell_again(map(in_python, warned))
    return prepared


def _preparation(settings: Mapping[str, Any]) -> Preparation:
    names = [field.name for field in fields(Preparation)]
    unknown = [name for name in settings if name not in names]
    if unknown:
        raise SettingsError(
            f"A data set has no setting {unknown[0]!r}; those of preparation are {', '.join(names)}. Correct it."
        )
    return Preparation(**{name: plain(value) for name, value in settings.items()})


def _described(table: pa.Table, index: str, id_column: str, ids: pd.Series) -> pd.DataFrame:
    frame: pd.DataFrame = table.drop_columns([index]).to_pandas()
    frame[id_column] = ids.array
    return frame


def resolved_data(data: Dataset) -> dict[str, Any]:
    """The parts of a run's configuration that say what it was trained on; null where the tables were in memory."""
    if data.config is None:
        return {"data": None, "preparation": None}
    content: Any = OmegaConf.to_container(data.config, resolve=True)
    return {"data": content["data"], "preparation": content["preparation"], "paths": content["paths"]}
