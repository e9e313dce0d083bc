"""Lists, similar items and explanations as tables, whoever gives them: a model in PyTorch or a bundle."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.api.ids import as_text, restored
from recsys.api.list_options import Audience, users_by_history, users_by_id
from recsys.cli.progress import Bar
from recsys.cli.progress import progress as bars
from recsys.data.columns import ITEM_ID, TITLE, USER_ID
from recsys.data.id_types import IdTypes
from recsys.data.interactions import IndexArray
from recsys.errors import DataWarning, RequestError
from recsys.runtime.explanations.shared_attributes import format_shared
from recsys.runtime.notes import filter_values_told
from recsys.runtime.recommendation import ItemExplanation, Recommendation, Recommender, SimilarityKind
from recsys.runtime.request import RecommendationRequest

#: Users who are answered together.
BATCH_SIZE = 512

SCORE = "score"
RANK = "rank"


class FrameRecommender(ABC):
    """Base of whatever recommends: a fitted model, a run that was opened, a bundle."""

    @abstractmethod
    def recommender(self) -> Recommender:
        """What answers requests.

        Raises:
            ModelError: a model that is not fitted.
        """

    @abstractmethod
    def id_types(self) -> IdTypes:
        """The types that the ids have outside."""

    @abstractmethod
    def user_labels(self) -> pd.Series:
        """The ids of all users, in the type of the user's table."""

    @abstractmethod
    def seen_counts(self, user_ids: Sequence[str]) -> IndexArray:
        """Number of interactions of each user; 0 for those that the data do not have."""

    @abstractmethod
    def identity(self) -> str:
        """The same for the same lists: a hash of all that the scores are computed from."""

    def version(self) -> str | None:
        """What a person calls the version that answers; None where only :meth:`identity` tells it."""
        return None

    @abstractmethod
    def same_for_all(self) -> bool:
        """Whether there is one list for everyone."""

    @abstractmethod
    def titles_of(self, item_ids: Sequence[str]) -> list[str]:
        """Titles of items by their ids, as text; the id where an item has none."""

    def recommend(
        self,
        users: Any = None,
        k: int = 10,
        *,
        histories: Any = None,
        filters: Mapping[str, Any] | None = None,
        exclude_items: Any = (),
        exclude_seen: bool | Mapping[str, float] | None = None,
        diversity: str | None = None,
        diversity_weight: float = 0.3,
        diversity_column: str | None = None,
        titles: bool = False,
        progress: bool = True,
        **options: Any,
    ) -> pd.DataFrame:
        """The best items for each user.

        Args:
            users: ids, as a list, an array, a series, or a table with the column ``user_id``; one id; None: all users
                of the data, unless histories are given.
            k: length of a list.
            histories: in place of users, item ids of each, oldest first: a list of lists, a mapping from a name to a
                list, or a table with the columns ``user_id`` and ``item_id``.
            filters: which items the lists may have, such as ``{"genres": {"any_of": ["Drama"]}, "year": {"gte":
                1990}}``; None: all.
            exclude_items: ids that are in no list.
            exclude_seen: whether what a user has stays out of the list: True, False or ``{"after_days": 30}``; None: as
                the model was fitted.
            diversity: ``mmr`` or ``calibrated``; None: the best items as they are.
            diversity_weight: from 0 (the list as it is) to 1.
            diversity_column: by which lists are diverse; None: the first column with several values.
            titles: whether a column ``title`` is added.
            progress: whether a bar is shown, in a terminal or a notebook, where there are many users.
            options: further ones of :class:`recsys.runtime.request.RecommendationRequest`, such as ``now``.

        Returns:
            The columns ``user_id`` (as it was given), ``item_id`` (as the data have it), ``score`` and ``rank`` (from
            1): k rows for each user, fewer where fewer items are allowed.

        Raises:
            RecsysError: the model is not fitted, or a value or a filter is not one that there can be.
        """
        audience = self._audience(users, histories)
        wanted = {
            "k": k,
            "filters": filters,
            "exclude_items": exclude_items,
            "exclude_seen": exclude_seen,
            "diversity": diversity,
            "diversity_weight": diversity_weight,
            "diversity_column": diversity_column,
            **options,
        }
        with bars.switched(progress and len(audience) > BATCH_SIZE), bars.bar("recommending", len(audience)) as bar:
            return self.lists_of(audience, wanted, titles, bar)

    def lists_of(
        self, audience: Audience, wanted: Mapping[str, Any], titles: bool = False, bar: Bar | None = None
    ) -> pd.DataFrame:
        """The lists of some users; see :meth:`recommend`.

        Args:
            audience: the users.
            wanted: arguments of :class:`recsys.runtime.request.RecommendationRequest`.
            titles: whether a column ``title`` is added.
            bar: shows how many users are done; None: nothing does.
        """
        answers = self._answers(audience, wanted, bar)
        counts = [len(answer.item_ids) for answer in answers]
        item_ids = [item for answer in answers for item in answer.item_ids]
        frame = pd.DataFrame(
            {
                USER_ID: audience.labels.repeat(counts).to_numpy(),
                ITEM_ID: restored(item_ids, self.id_types().item),
                SCORE: np.array([score for answer in answers for score in answer.scores], dtype=np.float64),
                RANK: ranks(counts),
            }
        ).astype({USER_ID: audience.labels.dtype})
        if titles:
            frame[TITLE] = self.titles_of(item_ids)
        return frame

    def recommend_all(self, k: int = 10, output: str | Path | None = None, **options: Any) -> pd.DataFrame | Path:
        """The lists of all users of the data.

        Args:
            k: length of a list.
            output: a ``.parquet`` or ``.csv`` file to write, or a directory for Parquet files, which goes on where it
                was interrupted; None: a table is returned.
            options: as for :meth:`recommend`; with an output also ``part_size`` and, of a bundle, ``engine="ray"``.

        Returns:
            The table, or the path of the output.

        Raises:
            RecsysError: as for :meth:`recommend`, or the file cannot be written.
        """
        if output is None:
            return self.recommend(k=k, **options)
        from recsys.api.list_file import write_lists

        return write_lists(self, Path(output), k=k, **options)

    def similar(self, items: Any, k: int = 10, by: SimilarityKind = "model") -> pd.DataFrame:
        """The items that are most like some others.

        Args:
            items: their ids, or one id.
            k: how many for each.
            by: ``model`` (what goes together) or ``content`` (what has the same columns).

        Returns:
            The columns ``item_id``, ``similar_item_id``, ``similarity`` and ``rank``; no row for an item that no other
            is like.

        Raises:
            RecsysError: an item is not in the data, or the model is not fitted.
        """
        found = self.recommender().similar(as_text(items, "items"), k, by)
        counts = [len(one.item_ids) for one in found]
        kind = self.id_types().item
        return pd.DataFrame(
            {
                ITEM_ID: restored(np.repeat([one.item_id for one in found], counts).tolist(), kind),
                "similar_item_id": restored([item for one in found for item in one.item_ids], kind),
                "similarity": np.array([value for one in found for value in one.similarities], dtype=np.float64),
                RANK: ranks(counts),
            }
        )

    def explain(self, users: Any = None, k: int = 10, *, histories: Any = None, **options: Any) -> pd.DataFrame:
        """What the scores of each list come from.

        Args:
            users: as for :meth:`recommend`.
            k: length of the lists.
            histories: as for :meth:`recommend`.
            options: further ones of :meth:`recommend`.

        Returns:
            The columns of the lists, and for each item of the history that contributes a row with
            ``because_item_id``, ``contribution`` and ``shared`` (what the two have in common, in words). A row without
            an item stands for the older interactions together.

        Raises:
            RecsysError: as for :meth:`recommend`, or the scores do not come from histories.
        """
        audience = self._audience(users, histories)
        answers = self._answers(audience, {"k": k, "explain": True, **options})
        rows = [
            (place, item, score, rank, *reason)
            for place, answer in enumerate(answers)
            for rank, (item, score, explanation) in enumerate(_explained(answer), start=1)
            for reason in _reasons(explanation)
        ]
        columns = list(zip(*rows, strict=True)) or [()] * 7
        kind = self.id_types().item
        return pd.DataFrame(
            {
                USER_ID: audience.labels.take(list(columns[0])).to_numpy(),
                ITEM_ID: restored(list(columns[1]), kind),
                SCORE: np.array(columns[2], dtype=np.float64),
                RANK: np.array(columns[3], dtype=np.int64),
                "because_item_id": restored(list(columns[4]), kind),
                "contribution": np.array(columns[5], dtype=np.float64),
                "shared": list(columns[6]),
            }
        ).astype({USER_ID: audience.labels.dtype})

    def _audience(self, users: Any, histories: Any) -> Audience:
        if users is not None and histories is not None:
            raise RequestError("Give either users or histories; both came.")
        if histories is not None:
            return users_by_history(histories)
        return users_by_id(self.user_labels() if users is None else users)

    def _answers(self, audience: Audience, wanted: Mapping[str, Any], bar: Bar | None = None) -> list[Recommendation]:
        """Answers in the order of the audience; users who have seen as much are asked for together, which is faster."""
        recommender = self.recommender()
        _check_options(wanted)
        options = {**wanted, "exclude_items": as_text(wanted.get("exclude_items", ()), "exclude_items")}
        places = np.arange(len(audience))
        if audience.histories is None and len(audience) > BATCH_SIZE:
            places = np.argsort(self.seen_counts([str(user) for user in audience.user_ids]), kind="stable")
        answers: dict[int, Recommendation] = {}
        for start in range(0, len(places), BATCH_SIZE):
            batch = places[start : start + BATCH_SIZE].tolist()
            found = recommender.recommend([audience.request(place, options) for place in batch])
            answers.update(zip(batch, found, strict=True))
            if bar is not None:
                bar.advance(len(batch))
        ordered = [answers[place] for place in range(len(audience))]
        _tell_fallbacks(audience, ordered, self.same_for_all())
        return ordered


def _check_options(wanted: Mapping[str, Any]) -> None:
    names = [field.name for field in fields(RecommendationRequest) if field.name not in ("user_id", "history")]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise RequestError(f"There is no option {unknown[0]!r} of a list; there are {', '.join(names)}. Correct it.")


def ranks(counts: Sequence[int]) -> npt.NDArray[np.int64]:
    """The ranks in lists of some lengths, one list after the other, each from 1."""
    return np.concatenate([np.arange(1, count + 1) for count in counts] or [np.empty(0, dtype=np.int64)])


def _explained(answer: Recommendation) -> list[tuple[str, float, ItemExplanation | None]]:
    explanations = answer.explanations or [None] * len(answer.item_ids)
    return list(zip(answer.item_ids, answer.scores, explanations, strict=True))


def _reasons(explanation: ItemExplanation | None) -> list[tuple[str | None, float, str]]:
    """What a score comes from: items of the history, then what is older together; one empty row where nothing is."""
    if explanation is None:
        return [(None, float("nan"), "what is popular")]
    reasons: list[tuple[str | None, float, str]] = [
        (one.item_id, float("nan") if one.value is None else one.value, format_shared(one.shared))
        for one in explanation.contributions
    ]
    if explanation.num_older:
        reasons.append((None, explanation.older_value, f"{explanation.num_older:,} older interactions"))
    if explanation.popularity is not None:
        reasons.append((None, float("nan"), f"popular: {explanation.popularity:,} interactions"))
    return reasons or [(None, float("nan"), "")]


def _tell_fallbacks(audience: Audience, answers: Sequence[Recommendation], same_for_all: bool) -> None:
    """Warn of users who got what is popular, unless all are meant to, or nothing, and of values that no item has."""
    unknown = dict.fromkeys(value for answer in answers for value in answer.unknown_filter_values)
    if unknown:
        warnings.warn(filter_values_told(list(unknown)), DataWarning, stacklevel=5)
    empty = [place for place, answer in enumerate(answers) if not answer.item_ids]
    popular = [place for place, answer in enumerate(answers) if answer.item_ids and not answer.personalized]
    popular = [] if same_for_all else popular
    for places, what in ((empty, "got no item"), (popular, "got what is popular instead of a list of their own")):
        if places:
            notes = answers[places[0]].notes[1 if unknown else 0 :]  # the first one is on the filters
            note = next(iter(notes), "nothing is known of them")
            warnings.warn(
                f"{len(places):,} of {len(audience):,} users {what}, the first of them "
                f"{audience.labels.iloc[places[0]]}: {note}",
                DataWarning,
                stacklevel=5,
            )
