"""Writes the lists of many users to a file, or to the files of a directory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import pyarrow as pa

from recsys.api.list_options import users_by_id
from recsys.api.list_parts import ListParts
from recsys.api.list_shards import ListShards
from recsys.api.part_store import ListPartStore
from recsys.cli.process.extras import require_libraries
from recsys.cli.progress import progress as bars
from recsys.data.columns import ITEM_ID, TITLE, USER_ID
from recsys.errors import RequestError

if TYPE_CHECKING:
    from recsys.api.frame_recommender import FrameRecommender

ListEngine = Literal["local", "ray"]

#: Users of one part: what is lost at most when the writing is interrupted.
PART_SIZE = 4096


def write_lists(
    source: FrameRecommender,
    output: Path,
    users: Any = None,
    progress: bool = True,
    engine: ListEngine = "local",
    **options: Any,
) -> Path:
    """Write a list for each user, and go on with what was interrupted; what is whole is not written again.

    Args:
        source: gives the lists.
        output: a ``.parquet`` or ``.csv`` file, or a directory for Parquet files.
        users: whose lists; None: those of all users of the data.
        progress: whether a bar is shown.
        engine: see :meth:`ListWriting.write`.
        options: further ones of :func:`list_writing`, such as ``k``, ``titles`` and ``filters``.

    Returns:
        The path of the file or the directory.

    Raises:
        RecsysError: a setting is wrong, or the output is there already or was begun with other settings.
    """
    writing = list_writing(source, output, users, **options)
    return output if writing.finished else writing.write(progress, engine)


@dataclass(frozen=True, slots=True)
class ListJob:
    """Makes one part after the other; it can be sent to another process.

    Args:
        store: where the parts are kept.
        options: of a request, its length ``k`` included.
        titles: whether there is a column of titles.
        user_type: of the column of users, in every part.
    """

    store: ListPartStore
    options: Mapping[str, Any]
    titles: bool
    user_type: pa.DataType

    def write(self, source: FrameRecommender, part: int, labels: pd.Series) -> None:
        """Write the lists of some users as a part."""
        lists = source.lists_of(users_by_id(labels), dict(self.options), self.titles)
        self.store.write(part, _as_table(lists, self.user_type))


@dataclass(frozen=True, slots=True)
class ListWriting:
    """Lists that are to be written.

    Args:
        source: gives the lists.
        labels: whose they are.
        part_size: users that are kept together.
        job: makes a part.
    """

    source: FrameRecommender
    labels: pd.Series
    part_size: int
    job: ListJob

    @property
    def finished(self) -> bool:
        """Whether the output is there, written with these very settings."""
        return self.job.store.finished

    def write(self, progress: bool = True, engine: ListEngine = "local") -> Path:
        """Write what is not there yet.

        Args:
            progress: whether a bar is shown.
            engine: "local" for this process; "ray" for all processors of a Ray cluster, each with the bundle open.

        Raises:
            RecsysError: as of :func:`write_lists`, or the engine is "ray" and the source is no bundle.
        """
        check_engine(engine, self.source)
        self.job.store.start()
        starts = range(0, len(self.labels), self.part_size)
        parts = [part for part in range(len(starts)) if not self.job.store.has(part)]
        sizes = [len(self._users(part)) for part in parts]
        num_done = len(self.labels) - sum(sizes)
        with bars.switched(progress), bars.bar("recommending", len(self.labels), num_done) as bar:
            for part in self._written(parts, engine):
                bar.advance(len(self._users(part)))
        self.job.store.finish(len(starts))
        return self.job.store.output

    def _written(self, parts: Sequence[int], engine: ListEngine) -> Iterator[int]:
        """Write parts, and give the number of each that is done."""
        if engine == "ray":
            from recsys.api.ray_lists import write_on_ray

            yield from write_on_ray(self.job, self.source, ((part, self._users(part)) for part in parts))
            return
        for part in parts:
            self.job.write(self.source, part, self._users(part))
            yield part

    def _users(self, part: int) -> pd.Series:
        return self.labels.iloc[part * self.part_size : (part + 1) * self.part_size]


def check_engine(engine: str, source: FrameRecommender) -> None:
    """Check that lists can be made in some way.

    Raises:
        RequestError: there is no such engine, or it does not take such a source.
        SettingsError: Ray is not installed.
    """
    engines = get_args(ListEngine)
    if engine not in engines:
        raise RequestError(f"engine must be {' or '.join(engines)}, but is {engine!r}. Correct it.")
    if engine != "ray":
        return
    from recsys.api.bundle_model import BundleModel  # whose users need not be those who write lists

    if not isinstance(source, BundleModel):
        raise RequestError(
            "engine=ray asks a bundle, which each process opens by itself, but a run came. Export it "
            "(scripts/export.py) and give bundle=DIR, or leave engine out."
        )
    require_libraries("ray")


def list_writing(
    source: FrameRecommender,
    output: Path,
    users: Any = None,
    *,
    k: int = 10,
    titles: bool = False,
    part_size: int = PART_SIZE,
    **options: Any,
) -> ListWriting:
    """Prepare the writing of a list for each user; nothing is written yet.

    Args:
        source: gives the lists.
        output: a ``.parquet`` or ``.csv`` file, or the name of a directory, without a dot, for Parquet files.
        users: ids as for :meth:`recsys.api.frame_recommender.FrameRecommender.recommend`; None: all users of the data.
        k: length of a list.
        titles: whether there is a column of titles.
        part_size: users that are kept together.
        options: further ones of a request, such as ``filters``.

    Raises:
        RequestError: there are no users, or the file has another ending.
    """
    audience = users_by_id(source.user_labels() if users is None else users)
    if len(audience) == 0:
        raise RequestError("A file of lists needs at least one user, but there are none.")
    settings = _settings(source, audience.user_ids, k, titles, part_size, options)
    store = ListParts(output, settings) if output.suffix else ListShards(output, settings)
    job = ListJob(store, {"k": k, **options}, titles, pa.Array.from_pandas(audience.labels).type)
    return ListWriting(source, audience.labels, part_size, job)


def _settings(
    source: FrameRecommender, users: Any, k: int, titles: bool, part_size: int, options: Mapping[str, Any]
) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(map(str, users)).encode()).hexdigest()
    version = source.version()
    return {
        **({} if version is None else {"bundle": version}),
        "model": source.identity(),
        "users": digest,
        "k": k,
        "titles": titles,
        "part_size": part_size,
        **{name: value for name, value in options.items() if value is not None},
    }


def _as_table(lists: pd.DataFrame, user_type: pa.DataType) -> pa.Table:
    """Lists with the same types in every part, whatever is in it."""
    kinds = {USER_ID: user_type, ITEM_ID: _kind(lists[ITEM_ID])}
    kinds |= {"score": pa.float64(), "rank": pa.int32()} | ({TITLE: pa.string()} if TITLE in lists else {})
    columns = {name: pa.Array.from_pandas(lists[name], type=kind) for name, kind in kinds.items()}
    return pa.table(columns)


def _kind(column: pd.Series) -> pa.DataType:
    return pa.from_numpy_dtype(column.dtype) if pd.api.types.is_integer_dtype(column) else pa.string()
