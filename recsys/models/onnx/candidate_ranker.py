"""A ranker of what several models say of a query's candidates.

Shape suffixes: B queries, C candidates of each, I items of the catalogue, S sources, H attention heads,
F features of a candidate, D dim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.components.item_statistics import ItemStatistics
from recsys.models.components.source_scores import TIE, SourceScores, gather_items, rank_of_place
from recsys.models.onnx.embedded_columns import EmbeddedUsers
from recsys.models.onnx.exportable import ServingForm, scores_of
from recsys.models.onnx.history_attention import ServedAttention
from recsys.models.onnx.onnx_query import OnnxQuery


class CandidateRanker(nn.Module):
    """Asks every source about the whole catalogue, puts that on one scale, and describes and ranks candidates alone.

    Args:
        forms: of the S sources.
        num_items: I.
        ranker: makes one score of F features, from shape [B, C, F] to [B, C].
        num_candidates: in the whole catalogue only the best unseen items of each source, so many, are scored;
            None: all.
        ranks: whether ranks count beside scores.
        attention: see :class:`recsys.models.layers.history_attention.HistoryAttention`; None: it does not count.
        statistics: of the items.
        popularity: whether popularity and activity count.
        freshness: whether freshness counts.
        attributes: what the columns say of pairs; None: they do not count.
    """

    def __init__(
        self,
        forms: Sequence[ServingForm],
        num_items: int,
        ranker: nn.Module,
        num_candidates: int | None,
        ranks: bool,
        attention: ServedAttention | None,
        statistics: ItemStatistics,
        popularity: bool,
        freshness: bool,
        attributes: ServedAttributes | None,
    ) -> None:
        super().__init__()
        self.sources = nn.ModuleList(_Source(form) for form in forms)
        self.num_items = num_items
        self.ranker = ranker
        self.num_candidates = num_candidates
        self.ranks = ranks
        self.attention = attention
        self.statistics = statistics
        self.popularity = popularity
        self.freshness = freshness
        self.attributes = attributes

    def forward(self, query: OnnxQuery, candidates: Tensor) -> Tensor:
        """Score candidates (shape [B, C], int64), whoever found them; shape [B, C], NaN for what no source scores."""
        source_scores, items = self._ask(query), candidates.clamp(min=0)
        is_scored = self._sources_of(source_scores).given.any(1).gather(1, items)
        return self._ranked(query, source_scores, items).masked_fill(~is_scored, torch.nan)

    def catalogue(self, query: OnnxQuery) -> Tensor:
        """Score the catalogue, shape [B, I]; NaN for what no source scores or finds."""
        source_scores = self._ask(query)
        sources = self._sources_of(source_scores)
        items = torch.arange(self.num_items, device=query.users.device).expand(query.users.shape[0], -1)
        if self.num_candidates is None or self.num_candidates >= self.num_items:
            is_candidate = sources.given.any(1)
        else:
            is_candidate = sources.retrieved(self.num_candidates)
        return self._ranked(query, source_scores, items).masked_fill(~is_candidate, torch.nan)

    def _ask(self, query: OnnxQuery) -> SourceScores:
        scores = torch.stack([source(query) for source in self.sources], dim=1)
        if self.attention is not None:
            scores = torch.cat([scores, self.attention(query)], dim=1)
        column = torch.where(query.inside, query.items, self.num_items)
        seen = torch.zeros(column.shape[0], self.num_items + 1, device=column.device)
        seen = seen.scatter(1, column, torch.ones_like(column, dtype=seen.dtype))
        return SourceScores.of(scores, seen[:, : self.num_items] == 0)

    def _sources_of(self, source_scores: SourceScores) -> SourceScores:
        """Without the attention."""
        num_sources = len(self.sources)
        return SourceScores(
            source_scores.scores[:, :num_sources], source_scores.given[:, :num_sources], source_scores.unseen
        )

    def _ranked(self, query: OnnxQuery, source_scores: SourceScores, items: Tensor) -> Tensor:
        features = [gather_items(source_scores.scores, items)]
        if self.ranks:
            features.append(_ranks_of(self._sources_of(source_scores), items))
        if self.popularity:
            popularity = self.statistics.popularity
            last = query.is_last(self.num_items)
            usual = (popularity[query.known_items] * last).sum(1) / last.sum(1).clamp(min=1)
            features.append(self.statistics.popularity_beside(usual, query.lengths, items))
        if self.freshness:
            features.append(self.statistics.freshness_features(items))
        if self.attributes is not None:
            features.append(self.attributes(query.features, items))
        ranked: Tensor = self.ranker(torch.cat(features, dim=2))
        return ranked


class RankedCatalogue(nn.Module):
    """Ranks the whole catalogue instead of candidates.

    Args:
        ranker: of candidates.
    """

    def __init__(self, ranker: CandidateRanker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, I]; NaN for what is no candidate."""
        return self.ranker.catalogue(query)


class ServedAttributes(nn.Module):
    """How the columns of users and items go together.

    See :class:`recsys.models.components.attribute_match.AttributeMatch`.

    Args:
        item_vectors: of the items' columns, shape [I, D].
        user_columns: embeds what the columns of the users say, with D dimensions; None where users have none.
        item_weights: shape [D].
    """

    item_vectors: Tensor
    alone: Tensor

    def __init__(self, item_vectors: Tensor, user_columns: EmbeddedUsers | None, item_weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("item_vectors", item_vectors)
        self.user_columns = user_columns
        self.register_buffer("alone", item_vectors @ item_weights)

    def forward(self, features: Mapping[str, Tensor], items: Tensor) -> Tensor:
        """Match B users, by their columns, and ``items`` (shape [B, C], int64): [B, C, 2]."""
        alone = self.alone[items]
        together = torch.zeros_like(alone)
        if self.user_columns is not None:
            own = self.user_columns(features)
            together = (functional.embedding(items, self.item_vectors) @ own[:, :, None]).squeeze(2)
        return torch.stack([together, alone], dim=2)


class _Source(nn.Module):
    """The scores of one source."""

    item_vectors: Tensor | None

    def __init__(self, form: ServingForm) -> None:
        super().__init__()
        self.encoder = form.encoder
        self.register_buffer("item_vectors", form.item_vectors)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, I]."""
        return scores_of(ServingForm(self.encoder, self.item_vectors), query)


def _ranks_of(source_scores: SourceScores, items: Tensor) -> Tensor:
    """The ranks of ``items`` (shape [B, C], int64) by each source, shape [B, C, S].

    See :meth:`recsys.models.components.source_scores.SourceScores.ranks`.

    The place of a candidate is found by bisection, in as many steps as the number of items has binary digits.
    """
    ascending = source_scores.comparable().sort(dim=2).values
    own = source_scores.scores.masked_fill(~source_scores.given, -torch.inf)
    keys = gather_items(own, items).transpose(1, 2) + TIE  # [B, S, C]
    num_items = ascending.shape[2]
    not_above = torch.zeros_like(keys, dtype=torch.int64)
    for digit in reversed(range(num_items.bit_length())):
        further = not_above + 2**digit
        there = ascending.gather(2, (further - 1).clamp(max=num_items - 1))
        not_above = torch.where((further <= num_items) & (there <= keys), further, not_above)
    return rank_of_place(num_items - not_above, num_items, keys.dtype).transpose(1, 2)
