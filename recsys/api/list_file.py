"""Writes the lists of many users to a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from recsys.api.list_options import Audience, users_by_id
from recsys.api.list_parts import ListParts
from recsys.cli.progress import progress as bars
from recsys.data.columns import ITEM_ID, TITLE, USER_ID
from recsys.errors import RequestError

if TYPE_CHECKING:
    from recsys.api.frame_recommender import FrameRecommender

#: Users of one part: what is lost at most when the writing is interrupted.
PART_SIZE = 4096


def write_lists(
    source: FrameRecommender, output: Path, users: Any = None, progress: bool = True, **options: Any
) -> Path:
    """Write a list for each user, and go on with what was interrupted; what is whole is not written again.

    Args:
        source: gives the lists.
        output: a ``.parquet`` or ``.csv`` file.
        users: whose lists; None: those of all users of the data.
        progress: whether a bar is shown.
        options: further ones of :func:`list_writing`, such as ``k``, ``titles`` and ``filters``.

    Returns:
        The path of the file.

    Raises:
        RecsysError: a setting is wrong, or the file is there already or was begun with other settings.
    """
    writing = list_writing(source, output, users, **options)
    return output if writing.finished else writing.write(progress)


@dataclass(frozen=True, slots=True)
class ListWriting:
    """Lists that are to be written to a file.

    Args:
        source: gives the lists.
        audience: whose they are.
        options: of a request, its length ``k`` included.
        titles: whether there is a column of titles.
        part_size: users that are kept together.
        parts: of the file.
    """

    source: FrameRecommender
    audience: Audience
    options: Mapping[str, Any]
    titles: bool
    part_size: int
    parts: ListParts

    @property
    def finished(self) -> bool:
        """Whether the file is there, written with these very settings."""
        return self.parts.finished

    def write(self, progress: bool = True) -> Path:
        """Write what is not there yet; the arguments and the errors are those of :func:`write_lists`."""
        self.parts.start()
        starts = range(0, len(self.audience), self.part_size)
        with bars.switched(progress), bars.bar("recommending", len(self.audience)) as bar:
            for part, start in enumerate(starts):
                labels = self.audience.labels.iloc[start : start + self.part_size]
                if not self.parts.has(part):
                    lists = self.source.lists_of(users_by_id(labels), dict(self.options), self.titles)
                    self.parts.write(part, _as_table(lists, self.audience.labels))
                bar.advance(len(labels))
        self.parts.finish(len(starts))
        return self.parts.output


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
        output: a ``.parquet`` or ``.csv`` file.
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
    return ListWriting(source, audience, {"k": k, **options}, titles, part_size, ListParts(output, settings))


def _settings(
    source: FrameRecommender, users: Any, k: int, titles: bool, part_size: int, options: Mapping[str, Any]
) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(map(str, users)).encode()).hexdigest()
    return {
        "model": source.identity(),
        "users": digest,
        "k": k,
        "titles": titles,
        "part_size": part_size,
        **{name: value for name, value in options.items() if value is not None},
    }


def _as_table(lists: pd.DataFrame, labels: pd.Series) -> pa.Table:
    """Lists with the same types in every part, whatever is in it."""
    kinds = {USER_ID: pa.Array.from_pandas(labels).type, ITEM_ID: _kind(lists[ITEM_ID])}
    kinds |= {"score": pa.float64(), "rank": pa.int32()} | ({TITLE: pa.string()} if TITLE in lists else {})
    columns = {name: pa.Array.from_pandas(lists[name], type=kind) for name, kind in kinds.items()}
    return pa.table(columns)


def _kind(column: pd.Series) -> pa.DataType:
    return pa.from_numpy_dtype(column.dtype) if pd.api.types.is_integer_dtype(column) else pa.string()
