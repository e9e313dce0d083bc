"""Explains whatever scores from histories, by asking it for parts of them.

Shape suffixes: B requests, M interactions of all histories together, K explained items, I items of the catalogue,
N players of one history, C coalitions of players, P permutations of the players.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from recsys.errors import ModelError
from recsys.retrieval.explanation import BatchExplanation
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.ranker import Ranker
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Items of the catalogue that are compared, at most, to see whether scores depend on the history.
MAX_COMPARED = 1000

#: Coalitions that take so little time that it is not measured.
_FEW_COALITIONS = 32


class SampledExplainer:
    """Shapley values of the interactions of a history.

    The contribution of an interaction is what the score gains when it joins those that are there already, in the mean
    over all orders in which the history can be put together. Contributions and rest add up to the score exactly.
    Shapley: A Value for n-Person Games (1953). The mean is taken over ``num_permutations`` random orders: Castro,
    Gómez, Tejada: Polynomial Calculation of the Shapley Value Based on Sampling (2009). Each order is taken backwards
    as well, and what an interaction brings as the first one, often more than all others bring later, is not sampled but
    asked for each. The standard errors are those of the mean over such pairs of orders.

    Short histories, for which all ``2^N`` subsets are no more than the orders would need (9 interactions for 64
    orders), are explained by all of them: without error. Of long histories the most recent ``max_items`` interactions
    are explained one by one and all older ones as one.

    The rest is the score of an empty history. Where an item is not scored (NaN) from it, or from another part of a
    history, its score counts as ``unscored``, so that whichever interaction comes first has all that is above it.

    Asks for the scores of about ``num_permutations * max_items`` histories for each request, in calls of at most
    ``max_scores / I`` histories.

    Args:
        ranker: scores items from the history of each request, also those of users that it knows.
        num_items: size of the catalogue, I.
        name: of the model, for messages.
        folds_in: whether the model scores strangers from their histories, for messages; None: it is tried.
        num_permutations: orders of each history, P, even and at least 4; the error falls with its square root.
        max_items: interactions that are explained one by one.
        unscored: stands for the score of an item that is not scored from a part of a history.
        max_scores: bound on the scores of the catalogue that a model which scores all of it holds at once, at least
            one history's.
        seed: of the orders; the same history has the same ones in any batch.
        monotonic: clock of :meth:`explain_within`, in seconds.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(
        self,
        ranker: Ranker,
        num_items: int,
        name: str,
        folds_in: bool | None = None,
        num_permutations: int = 64,
        max_items: int = 50,
        unscored: float = 0.0,
        max_scores: int = 2**22,
        seed: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        check_settings(num_permutations, max_items, max_scores)
        self._monotonic = monotonic
        self.num_items = num_items
        self.name = name
        self.folds_in = folds_in
        self.num_permutations = num_permutations
        self.max_items = max_items
        self.unscored = unscored
        self.seed = seed
        self._ranker = ranker
        self._max_histories = max(1, max_scores // max(1, num_items))

    def explain(self, requests: RequestBatch, items: IntArray) -> BatchExplanation:
        """See :meth:`recsys.retrieval.explanation.BatchExplainer.explain`."""
        return self._explained(requests, items, None)

    def explain_within(self, requests: RequestBatch, items: IntArray, seconds: float) -> BatchExplanation:
        """The same with as many orders as there is time for, at least 4, the first ones of all.

        See :meth:`recsys.retrieval.explanation.TimedExplainer.explain_within`. The standard errors say how exact it is.
        """
        return self._explained(requests, items, self._monotonic() + seconds)

    def _explained(self, requests: RequestBatch, items: IntArray, end: float | None) -> BatchExplanation:
        """The explanation; ``end`` is when it should be there by the clock."""
        scores = np.where(items >= 0, self.score(requests, items), np.nan)
        base = np.where(items >= 0, self.score(_without_history(requests), items), np.nan)
        self._check_histories_matter(requests, scores, base)
        history = requests.history
        contributions = np.zeros((len(history.items), items.shape[1]), dtype=np.float32)
        errors, rest = np.zeros_like(contributions), np.where(np.isnan(base), self.unscored, base).astype(np.float32)
        num_grouped = np.maximum(history.counts - self.max_items, 0)
        for row in range(len(requests)):
            own = slice(*history.offsets[row : row + 2])
            game = _Game(self, requests.take(np.array([row])), int(num_grouped[row]), np.maximum(items[row], 0))
            share = None if end is None else (end - self._monotonic()) / (len(requests) - row)
            contributions[own], errors[own] = game.contributions(rest[row].astype(np.float64), share)
        unscored = np.isnan(scores)
        contributions[unscored[history.rows]] = np.nan
        errors[unscored[history.rows]] = np.nan
        rest[unscored] = np.nan
        return BatchExplanation(history, contributions, rest, errors, num_grouped)

    def now(self) -> float:
        """The time by its clock, in seconds."""
        return self._monotonic()

    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """The scores of ``items`` (shape [B, K], int64), shape [B, K], for a bounded number of requests at once."""
        starts = range(0, len(requests), self._max_histories)
        if len(starts) <= 1:
            return self._ranker.score(requests, items)
        blocks = [np.arange(start, min(start + self._max_histories, len(requests))) for start in starts]
        return np.concatenate([self._ranker.score(requests.take(rows), items[rows]) for rows in blocks])

    def _check_histories_matter(self, requests: RequestBatch, scores: FloatArray, base: FloatArray) -> None:
        """Refuse ``requests`` if the scores of one are the same without its history.

        Args:
            requests: B of them.
            scores: of the explained items, shape [B, K].
            base: the same without history.
        """
        rows = np.flatnonzero(_are_same(scores, base) & (requests.history.counts > 0))
        if len(rows) == 0:
            return
        # Scores of a few items may be equal by chance: those of the catalogue decide.
        suspects = requests.take(rows)
        compared = np.unique(np.linspace(0, max(0, self.num_items - 1), MAX_COMPARED).astype(np.int64))
        asked = np.tile(compared, (len(suspects), 1))
        whole, empty = self.score(suspects, asked), self.score(_without_history(suspects), asked)
        refused = np.flatnonzero(_are_same(whole, empty) & ~np.isnan(whole).all(axis=1))
        if len(refused) == 0:
            return
        advice = (
            "Ask as a user that it does not know, by the history alone"
            if self._folds_in(suspects.take(refused[:1]), asked[:1])
            else "Choose a model that folds in (docs/models.md says which do)"
        )
        raise ModelError(
            f"Scores that depend on the history are required to say which interactions they come from, but {self.name} "
            f"scores these users by what it learnt in training, whatever their history. {advice}."
        )

    def _folds_in(self, request: RequestBatch, items: IntArray) -> bool:
        """Whether the history would count if the user of one request were not known."""
        if self.folds_in is not None:
            return self.folds_in
        stranger = replace(request, users=np.array([-1]))
        return not _are_same(self.score(stranger, items), self.score(_without_history(stranger), items)).all()


class _Game:
    """The history of one request: its players are single interactions and, as player 0, all older ones together.

    Args:
        explainer: gives the scores and the settings.
        request: one.
        num_grouped: the oldest interactions that are one player.
        items: whose scores are split, shape [K], int64.
    """

    def __init__(self, explainer: SampledExplainer, request: RequestBatch, num_grouped: int, items: IntArray) -> None:
        self._explainer = explainer
        self._request = request
        self._items = items
        position = np.arange(len(request.history.items))
        self._player = np.maximum(position - num_grouped + 1, 0) if num_grouped else position
        self._num_players = int(self._player[-1]) + 1 if len(position) else 0

    def contributions(self, base: FloatArray, seconds: float | None) -> tuple[FloatArray, FloatArray]:
        """That of each interaction and its standard error, both [M of this row, K].

        Args:
            base: the score of no history, shape [K], float64.
            seconds: that it may take; None: as long as it takes.
        """
        if self._num_players == 0:
            nothing = np.zeros((0, len(self._items)))
            return nothing, nothing
        budget = self._explainer.num_permutations * (self._num_players - 1) + self._num_players
        enough = 2**self._num_players <= max(budget, 4)
        # All coalitions of many players take as long as all orders do: where time counts, orders come piece by piece.
        if enough and seconds is not None:
            enough = 2**self._num_players <= _FEW_COALITIONS or self._seconds_of_all() <= seconds
        of_players, errors = self._enumerated() if enough else self._sampled(base, seconds)
        sharing = np.bincount(self._player)[self._player][:, None]
        return of_players[self._player] / sharing, errors[self._player] / sharing

    def _enumerated(self) -> tuple[FloatArray, FloatArray]:
        """Shapley values from all coalitions, shape [N, K], and zeros."""
        size = self._num_players
        coalitions = (np.arange(2**size)[:, None] >> np.arange(size) & 1).astype(np.bool_)
        # A coalition of s players is the start of s! (N - s)! of all N! orders; which of its players came last, and
        # which one comes next, is equally likely.
        number = np.array([math.comb(size, players) for players in range(size + 1)])
        sizes = coalitions.sum(axis=1)
        share = 1 / number[sizes]
        joined = (share / np.maximum(sizes, 1))[:, None]
        to_join = (share / np.maximum(size - sizes, 1))[:, None]
        values = np.where(coalitions, joined, -to_join).T @ self._values(coalitions)
        return values, np.zeros_like(values)

    def _seconds_of_all(self) -> float:
        """About how long all coalitions take, by a few of them."""
        began = self._explainer.now()
        self._values(np.ones((_FEW_COALITIONS, self._num_players), dtype=np.bool_))
        return (self._explainer.now() - began) * 2**self._num_players / _FEW_COALITIONS

    def _sampled(self, base: FloatArray, seconds: float | None) -> tuple[FloatArray, FloatArray]:
        """Estimates of the Shapley values and their standard errors, both [N, K]."""
        size, num_pairs = self._num_players, self._explainer.num_permutations // 2
        generator = np.random.default_rng(self._explainer.seed)
        forward = np.stack([generator.permutation(size) for _ in range(num_pairs)])
        # The place of each player in each order, which comes forwards and backwards: [P, N].
        places = np.stack([forward, size - 1 - forward], axis=1).reshape(2 * num_pairs, size)
        alone, after = self._alone_and_after(places, seconds)
        num_pairs = len(after) // 2  # as many as there was time for
        places = places[: len(after)]
        gains = np.diff(after, axis=1, prepend=after[:, :1])  # what each place brings, that of the first one left out
        later = np.take_along_axis(gains, places[..., None], axis=1)
        # As the first one, each player brings what is known exactly, once in N orders. What the firsts of the orders
        # drawn brought more than the mean of all players does is nothing in the long run: everyone has a share of it.
        surplus = after[:, :1] - alone.mean(axis=0)
        drawn = later + (alone - base + surplus) / size
        pairs = drawn.reshape(num_pairs, 2, size, -1).mean(axis=1)
        return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / num_pairs**0.5

    def _alone_and_after(self, places: IntArray, seconds: float | None) -> tuple[FloatArray, FloatArray]:
        """The scores by each player alone, shape [N, K], and after each place of the orders taken, shape [P, N, K].

        Args:
            places: of each player in each order, shape [all orders, N].
            seconds: that it may take; None: all orders are taken.
        """
        size, alone, after = self._num_players, None, []
        for orders in self._pieces(places, seconds):
            starts = orders[:, None] < np.arange(1, size + 1)[:, None]  # [P, N coalitions, N]
            wanted = starts.reshape(-1, size)
            if alone is None:
                wanted = np.concatenate([wanted, np.eye(size, dtype=np.bool_)])
            coalitions, found = np.unique(wanted, axis=0, return_inverse=True)
            values = self._values(coalitions)[found.reshape(-1)]
            if alone is None:
                values, alone = values[:-size], values[-size:]
            after.append(values.reshape(len(orders), size, -1))
        assert alone is not None, "there are 4 orders or more"
        return alone, np.concatenate(after)

    def _pieces(self, places: IntArray, seconds: float | None) -> Iterator[IntArray]:
        """The orders, 4 first, then twice as many as before as long as these will be done in time."""
        if seconds is None:
            yield places
            return
        began, done, size = self._explainer.now(), 0, 4
        while done < len(places) and size > 0:
            yield places[done : done + size]
            done = min(len(places), done + size)
            taken = self._explainer.now() - began
            affordable = int((seconds - taken) / max(taken, 1e-9) * done) if taken < seconds else 0
            size = min(done, affordable) // 2 * 2

    def _values(self, coalitions: BoolArray) -> FloatArray:
        """The scores of the items by parts of the history, shape [C, K], float64; ``coalitions`` is [C, N]."""
        history, size = self._request.history, len(coalitions)
        chosen = coalitions[:, self._player]
        position = np.nonzero(chosen)[1]
        parts = RaggedItems(
            offsets=np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int64),
            items=history.items[position],
            rating=None if history.rating is None else history.rating[position],
            timestamp=None if history.timestamp is None else history.timestamp[position],
        )
        same_user = np.zeros(size, dtype=np.int64)
        features = {name: values[same_user] for name, values in self._request.features.items()}
        nothing = RaggedItems.empty(size)
        requests = RequestBatch(self._request.users[same_user], parts, nothing, nothing, features)
        scores = self._explainer.score(requests, np.broadcast_to(self._items, (size, len(self._items))))
        return np.where(np.isnan(scores), self._explainer.unscored, scores).astype(np.float64)


def check_settings(num_permutations: int, max_items: int, max_scores: int) -> None:
    """Refuse settings of a :class:`SampledExplainer` that are out of range.

    Raises:
        ModelError: one of them is.
    """
    if num_permutations < 4 or num_permutations % 2 or max_items < 1 or max_scores < 1:
        raise ModelError(
            "A sampled explanation needs an even number of permutations, at least 4, and max_items and max_scores "
            f"of at least 1; they are {num_permutations}, {max_items} and {max_scores}. Correct them."
        )


def _without_history(requests: RequestBatch) -> RequestBatch:
    return replace(requests, history=RaggedItems.empty(len(requests)))


def _are_same(scores: FloatArray, other: FloatArray) -> BoolArray:
    """Whether each row has the same scores in both, NaN in the same places."""
    same: BoolArray = ((scores == other) | (np.isnan(scores) & np.isnan(other))).all(axis=1)
    return same
