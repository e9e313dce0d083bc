"""Explains any model that scores from histories, by asking it for parts of them.

Shape suffixes: B queries, M interactions of all histories together, K explained items, I items of the catalogue,
N players of one history, C coalitions of players, P permutations of the players.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.interface.explanation import Explanation, rows_of
from recsys.models.interface.protocols import Explains, FoldsIn, Query, Recommender


class SampledExplainer:
    """Shapley values of the interactions of a history.

    The part of an interaction is what the score gains when it joins those that are there already, in the mean over all
    orders in which the history can be put together. Parts and rest add up to the score exactly. Shapley: A Value for
    n-Person Games (1953). The mean is taken over ``num_permutations`` random orders: Castro, Gómez, Tejada: Polynomial
    Calculation of the Shapley Value Based on Sampling (2009). Each order is taken backwards as well, and what an
    interaction brings as the first one, often more than all others bring later, is not sampled but asked for each. The
    standard errors are those of the mean over such pairs of orders.

    Short histories, for which all ``2^N`` subsets are no more than the orders would need (9 interactions for 64
    orders), are explained by all of them: without error. Of long histories the most recent ``max_items`` interactions
    are explained one by one and all older ones as one.

    The rest is the score of an empty history. Where the model has no opinion (NaN) on it, or on another part of a
    history, the score counts as ``no_opinion``, so that whichever interaction comes first has all that is above it.

    Asks the model for about ``num_permutations * max_items`` histories for each query, in calls of at most
    ``max_scores`` scores.

    Args:
        model: scores from histories, in evaluation mode.
        num_permutations: orders of each history, P, even and at least 4; the error falls with its square root.
        max_items: interactions that are explained one by one.
        no_opinion: the score of a history that the model has no opinion on.
        max_scores: bound on the scores held at once, at least one history's.
        seed: of the orders; the same history has the same ones in any batch.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(
        self,
        model: Recommender,
        num_permutations: int = 64,
        max_items: int = 50,
        no_opinion: float = 0.0,
        max_scores: int = 2**22,
        seed: int = 0,
    ) -> None:
        if num_permutations < 4 or num_permutations % 2 or max_items < 1 or max_scores < 1:
            raise ModelError(
                "A sampled explanation needs an even number of permutations, at least 4, and max_items and max_scores "
                f"of at least 1; they are {num_permutations}, {max_items} and {max_scores}. Correct them."
            )
        self.model = model
        self.num_permutations = num_permutations
        self.max_items = max_items
        self.no_opinion = no_opinion
        self.max_scores = max_scores
        self.seed = seed

    @torch.no_grad()
    def explain(self, query: Query, items: Tensor) -> Explanation:
        """Split the scores of ``items`` (shape [B, K], int64, -1 for no item) over the histories of ``query``.

        Raises:
            ModelError: the scores do not depend on the history, so that there is nothing to split.
        """
        histories = query.histories
        catalogue = self.model.score(query)
        self._check_histories_matter(query, catalogue)
        scores = catalogue.gather(1, items.clamp(min=0)).masked_fill(items < 0, torch.nan)
        num_histories = max(1, self.max_scores // catalogue.shape[1])
        parts = scores.new_zeros(len(histories.items), items.shape[1])
        errors, rest = torch.zeros_like(parts), torch.zeros_like(scores)
        num_grouped = (histories.counts - self.max_items).clamp(min=0)
        for row in range(len(query)):
            own = slice(*histories.offsets[row : row + 2].tolist())
            game = _Game(self, query, row, int(num_grouped[row]), items[row].clamp(min=0), num_histories)
            parts[own], errors[own] = game.parts()
            rest[row] = game.base
        no_opinion = scores.isnan()
        of_interactions = no_opinion[rows_of(histories)]
        return Explanation(
            histories,
            parts.masked_fill_(of_interactions, torch.nan),
            rest.masked_fill_(no_opinion, torch.nan),
            errors.masked_fill_(of_interactions, torch.nan),
            num_grouped,
        )

    def _check_histories_matter(self, query: Query, scores: Tensor) -> None:
        """Refuse ``query`` if the scores of one of its users, shape [B, I], are the same without the history."""
        empty = self.model.score(replace(query, histories=query.histories.take(torch.full_like(query.users, -1))))
        same = ((scores == empty) | (scores.isnan() & empty.isnan())).all(1) & ~scores.isnan().all(1)
        if not bool((same & (query.histories.counts > 0)).any()):
            return
        name = type(self.model).__name__
        advice = (
            "Ask as a user that it does not know, by the history alone"
            if isinstance(self.model, FoldsIn)
            else "Choose a model that folds in (docs/models.md says which do)"
        )
        raise ModelError(
            f"Scores that depend on the history are required to say which interactions they come from, but {name} "
            f"scores these users by what it learnt in training, whatever their history. {advice}."
        )


class _Game:
    """The history of one query: its players are single interactions and, as player 0, all older ones together.

    Args:
        explainer: gives the model and the settings.
        query: B users.
        row: the one that is explained.
        num_grouped: the oldest interactions that are one player.
        items: whose scores are split, shape [K], int64.
        num_histories: parts of the history that the model is asked for at once, at most.
    """

    def __init__(
        self,
        explainer: SampledExplainer,
        query: Query,
        row: int,
        num_grouped: int,
        items: Tensor,
        num_histories: int,
    ) -> None:
        self._explainer = explainer
        self._query = query.take(torch.tensor([row], device=query.users.device))
        self._history = self._query.histories
        self._items = items
        position = torch.arange(len(self._history.items), device=items.device)
        self._player = (position - num_grouped + 1).clamp(min=0) if num_grouped else position
        self._num_players = int(self._player[-1]) + 1 if len(position) else 0
        self._num_histories = num_histories
        self.base = self._values(torch.zeros(1, self._num_players, dtype=torch.bool, device=items.device))[0]

    def parts(self) -> tuple[Tensor, Tensor]:
        """The part of each interaction and its standard error, both [M of this row, K]."""
        if self._num_players == 0:
            nothing = self.base.new_zeros(0, len(self._items))
            return nothing, nothing
        budget = self._explainer.num_permutations * (self._num_players - 1) + self._num_players
        enough = 2**self._num_players <= max(budget, 4)
        of_players, errors = self._enumerated() if enough else self._sampled()
        sharing = torch.bincount(self._player)[self._player][:, None]
        return of_players[self._player] / sharing, errors[self._player] / sharing

    def _enumerated(self) -> tuple[Tensor, Tensor]:
        """Shapley values from all coalitions, shape [N, K], and zeros."""
        size = self._num_players
        members = torch.arange(2**size, device=self._items.device)[:, None]
        coalitions = (members >> torch.arange(size, device=self._items.device) & 1).bool()
        # A coalition of s players is the start of s! (N - s)! of all N! orders; which of its players came last, and
        # which one comes next, is equally likely.
        number = torch.tensor([math.comb(size, players) for players in range(size + 1)], device=self._items.device)
        sizes = coalitions.sum(1)
        share = 1 / number[sizes].double()
        gains = torch.where(coalitions, (share / sizes)[:, None], -(share / (size - sizes))[:, None])
        values = gains.T @ self._values(coalitions).double()
        return values.to(self.base.dtype), torch.zeros_like(self.base).expand(size, -1)

    def _sampled(self) -> tuple[Tensor, Tensor]:
        """Estimates of the Shapley values and their standard errors, both [N, K]."""
        size, num_pairs = self._num_players, self._explainer.num_permutations // 2
        generator = torch.Generator().manual_seed(self._explainer.seed)
        forward = torch.stack([torch.randperm(size, generator=generator) for _ in range(num_pairs)])
        # The place of each player in each order, which comes forwards and backwards: [P, N].
        places = torch.stack([forward, size - 1 - forward], dim=1).flatten(0, 1).to(self._items.device)
        starts = places[:, None] < torch.arange(1, size + 1, device=places.device)[:, None]  # [P, N coalitions, N]
        coalitions, found = torch.unique(
            torch.cat([starts.flatten(0, 1), torch.eye(size, dtype=torch.bool, device=places.device)]),
            dim=0,
            return_inverse=True,
        )
        values = self._values(coalitions).double()[found]
        alone = values[-size:]
        after = values[:-size].unflatten(0, (len(places), size))
        gains = after.diff(dim=1, prepend=after[:, :1])  # what each place brings, that of the first one left out
        later = gains.gather(1, places[..., None].expand(-1, -1, gains.shape[2]))
        # As the first one, each player brings what is known exactly, once in N orders. What the firsts of the orders
        # drawn brought more than the mean of all players does is nothing in the long run: everyone has a share of it.
        surplus = after[:, :1] - alone.mean(0)
        drawn = later + (alone - self.base + surplus) / size
        pairs = drawn.unflatten(0, (num_pairs, 2)).mean(1)
        dtype = self.base.dtype
        return pairs.mean(0).to(dtype), (pairs.std(0) / num_pairs**0.5).to(dtype)

    def _values(self, coalitions: Tensor) -> Tensor:
        """The scores of the items by parts of the history, shape [C, K]; ``coalitions`` is [C, N], bool."""
        history = self._history
        blocks = []
        for block in coalitions.split(self._num_histories):
            chosen = block[:, self._player]
            position = chosen.nonzero()[:, 1]
            counts = chosen.sum(1)
            part = Histories(
                offsets=torch.cat([counts.new_zeros(1), counts.cumsum(0)]),
                items=history.items[position],
                rating=None if history.rating is None else history.rating[position],
                timestamp=None if history.timestamp is None else history.timestamp[position],
            )
            same_user = self._query.take(block.new_zeros(len(block), dtype=torch.int64))
            scores = self._explainer.model.score(replace(same_user, histories=part))
            blocks.append(scores[:, self._items].nan_to_num(nan=self._explainer.no_opinion))
        return torch.cat(blocks)


def explainer_of(model: Recommender) -> Explains:
    """What explains ``model``: itself, where it does, else samples."""
    return model if isinstance(model, Explains) else SampledExplainer(model)
