"""A ranker of what several models say of a query's candidates.

Shape suffixes: B queries, C candidates of each, I items of the catalogue, S sources, H attention heads,
F features of a candidate, N new items, W numbers of a new item's vector, D dim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.components.item_statistics import ItemStatistics
from recsys.models.components.source_scores import TIE, SourceScores, gather_items, rank_of_place
from recsys.models.onnx.embedded_columns import EmbeddedUsers
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.history_attention import ServedAttention
from recsys.models.onnx.new_candidates import Described, NewCandidates
from recsys.models.onnx.onnx_query import OnnxQuery


class _Asked(NamedTuple):
    """What sources and attention say of the catalogue.

    Args:
        scores: on one scale, shape [B, S + H, I].
        encoded: what the encoder of each source gave.
        mean: of what they say, shape [B, S + H, 1].
        scale: that a difference from it is multiplied by, likewise.
    """

    scores: SourceScores
    encoded: list[Tensor]
    mean: Tensor
    scale: Tensor


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
        new_candidates: describes new items; None: they are not scored.
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
        new_candidates: NewCandidates | None = None,
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
        self.new_candidates = new_candidates

    def forward(self, query: OnnxQuery, candidates: Tensor, new_items: Tensor | None = None) -> Tensor:
        """Score candidates, whoever found them.

        Args:
            query: B queries.
            candidates: shape [B, C], int64; I and above are new items.
            new_items: what is known of these, shape [N, W]; None: there are none.

        Returns:
            Shape [B, C]; NaN for what no source scores.
        """
        asked, items, new = self._ask(query), candidates.clamp(min=0), None
        if new_items is not None:
            assert self.new_candidates is not None, "what describes new items"
            places = items - self.num_items
            new = self.new_candidates(asked.encoded, asked.mean, asked.scale, places, new_items)
            items = items.clamp(max=self.num_items - 1)
        is_scored = self._sources_of(asked.scores).given.any(1).gather(1, items)
        if new is not None:
            is_scored = _chosen(new.is_new, new.given.any(2), is_scored)
        return self._ranked(query, asked.scores, items, new).masked_fill(~is_scored, torch.nan)

    def catalogue(self, query: OnnxQuery) -> Tensor:
        """Score the catalogue, shape [B, I]; NaN for what no source scores or finds."""
        source_scores = self._ask(query).scores
        sources = self._sources_of(source_scores)
        items = torch.arange(self.num_items, device=query.users.device).expand(query.users.shape[0], -1)
        if self.num_candidates is None or self.num_candidates >= self.num_items:
            is_candidate = sources.given.any(1)
        else:
            is_candidate = sources.retrieved(self.num_candidates)
        return self._ranked(query, source_scores, items).masked_fill(~is_candidate, torch.nan)

    def _ask(self, query: OnnxQuery) -> _Asked:
        encoded: list[Tensor] = [source.encode(query) for source in self.sources]  # type: ignore[operator]
        pairs = zip(self.sources, encoded, strict=True)
        scores = torch.stack([source(own) for source, own in pairs], dim=1)
        if self.attention is not None:
            scores = torch.cat([scores, self.attention(query)], dim=1)
        column = torch.where(query.inside, query.items, self.num_items)
        seen = torch.zeros(column.shape[0], self.num_items + 1, device=column.device)
        seen = seen.scatter(1, column, torch.ones_like(column, dtype=seen.dtype))
        standardised, mean, scale = SourceScores.with_scale(scores, seen[:, : self.num_items] == 0)
        return _Asked(standardised, encoded, mean, scale)

    def _sources_of(self, source_scores: SourceScores) -> SourceScores:
        """Without the attention."""
        num_sources = len(self.sources)
        return SourceScores(
            source_scores.scores[:, :num_sources], source_scores.given[:, :num_sources], source_scores.unseen
        )

    def _ranked(
        self, query: OnnxQuery, source_scores: SourceScores, items: Tensor, new: Described | None = None
    ) -> Tensor:
        scores = gather_items(source_scores.scores, items)
        if new is not None:
            scores = torch.where(new.is_new[:, :, None], new.scores, scores)
        features = [scores]
        if self.ranks:
            sources = self._sources_of(source_scores)
            given = gather_items(sources.given, items)
            if new is not None:
                given = _chosen(new.is_new[:, :, None], new.given, given)
            features.append(_ranks_of(sources, scores[:, :, : len(self.sources)].masked_fill(~given, -torch.inf)))
        if self.popularity:
            popularity = self.statistics.popularity
            last = query.is_last(self.num_items)
            usual = (popularity[query.known_items] * last).sum(1) / last.sum(1).clamp(min=1)
            own = popularity[items]
            if new is not None:
                assert self.new_candidates is not None, "what describes new items"
                own = torch.where(new.is_new, self.new_candidates.popularity, own)
            features.append(self.statistics.popularity_beside(usual, query.lengths, own))
        if self.freshness:
            fresh = self.statistics.freshness_features(items)
            if new is not None:
                assert self.new_candidates is not None, "what describes new items"
                fresh = torch.where(new.is_new[:, :, None], self.new_candidates.freshness, fresh)
            features.append(fresh)
        if self.attributes is not None:
            features.append(self.attributes(query.features, items, new))
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
    item_weights: Tensor

    def __init__(self, item_vectors: Tensor, user_columns: EmbeddedUsers | None, item_weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("item_vectors", item_vectors)
        self.user_columns = user_columns
        self.register_buffer("alone", item_vectors @ item_weights)
        self.register_buffer("item_weights", item_weights)

    def forward(self, features: Mapping[str, Tensor], items: Tensor, new: Described | None = None) -> Tensor:
        """Match B users, by their columns, and ``items`` (shape [B, C], int64), or new ones: [B, C, 2]."""
        alone = self.alone[items]
        if new is not None and new.attributes is not None:
            alone = torch.where(new.is_new, new.attributes @ self.item_weights, alone)
        together = torch.zeros_like(alone)
        if self.user_columns is not None:
            own, vectors = self.user_columns(features), functional.embedding(items, self.item_vectors)
            if new is not None and new.attributes is not None:
                vectors = torch.where(new.is_new[:, :, None], new.attributes, vectors)
            together = (vectors @ own[:, :, None]).squeeze(2)
        return torch.stack([together, alone], dim=2)


class _Source(nn.Module):
    """The scores of one source."""

    item_vectors: Tensor | None

    def __init__(self, form: ServingForm) -> None:
        super().__init__()
        self.encoder = form.encoder
        self.register_buffer("item_vectors", form.item_vectors)

    def encode(self, query: OnnxQuery) -> Tensor:
        """What the encoder gives, shape [B, D] or [B, I]."""
        encoded: Tensor = self.encoder(query)
        return encoded

    def forward(self, encoded: Tensor) -> Tensor:
        """Shape [B, I], from what the encoder gives."""
        return encoded if self.item_vectors is None else encoded @ self.item_vectors.T


def _chosen(condition: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """``torch.where`` for truth values, which ONNX Runtime does not have."""
    return (condition & first) | (~condition & second)


def _ranks_of(source_scores: SourceScores, own: Tensor) -> Tensor:
    """The ranks among the catalogue of candidates with the scores ``own``, shape [B, C, S], by each source; likewise.

    See :meth:`recsys.models.components.source_scores.SourceScores.ranks`. ``own`` is minus infinity where a source
    does not score.

    The place of a candidate is found by bisection, in as many steps as the number of items has binary digits.
    """
    ascending = source_scores.comparable().sort(dim=2).values
    keys = own.transpose(1, 2) + TIE  # [B, S, C]
    num_items = ascending.shape[2]
    not_above = torch.zeros_like(keys, dtype=torch.int64)
    for digit in reversed(range(num_items.bit_length())):
        further = not_above + 2**digit
        there = ascending.gather(2, (further - 1).clamp(max=num_items - 1))
        not_above = torch.where((further <= num_items) & (there <= keys), further, not_above)
    return rank_of_place(num_items - not_above, num_items, keys.dtype).transpose(1, 2)
