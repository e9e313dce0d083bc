"""A ranker of items by the scores of other models.

Shape suffixes: B queries, I items of the catalogue, C candidates of each query, S sources, H attention heads,
F features of a candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.raw import FeatureKind
from recsys.errors import ModelError
from recsys.models.components.attribute_match import AttributeMatch
from recsys.models.components.item_statistics import ItemStatistics
from recsys.models.components.source_scores import SourceScores, gather_items
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.pair_recommender import as_recommender
from recsys.models.interface.protocols import (
    FoldsIn,
    Query,
    RanksCandidates,
    UsesItemFeatures,
    UsesUserFeatures,
    dynamic_buffers,
)
from recsys.models.layers.feature_embedding import FeatureEmbedding
from recsys.models.layers.history_attention import HistoryAttention
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.row_positions import row_positions
from recsys.models.onnx.candidate_ranker import CandidateRanker, RankedCatalogue, ServedAttributes
from recsys.models.onnx.exportable import Exportable, ItemEncoderSpec, ServingForm
from recsys.models.onnx.history_attention import ServedAttention
from recsys.models.onnx.new_candidates import NewCandidates, encoder_of_columns, encoders_of, joined_encoders

#: Scores of sources, or features of candidates, that are held at once when users are scored: a bound on memory.
MAX_FEATURES = 2**22


class Hybrid(RanksCandidates):
    """Scores candidates from the scores of several models and a few other signals.

    ``score(u, i) = ranker(features(u, i))``, where the features are

    - the score of each source, standardised over the items that are new to the user, and the item's rank by it;
    - attention of the item over the history (:class:`recsys.models.layers.history_attention.HistoryAttention`);
    - popularity and freshness (:class:`recsys.models.components.item_statistics.ItemStatistics`);
    - how the columns of user and item go together (:class:`recsys.models.components.attribute_match.AttributeMatch`).

    The sources are whole models and part of the state. The ranker is trained on lists of candidates that sources
    scored without having seen which of them were chosen (:mod:`recsys.training.stacking`): stacked generalisation, as
    of Wolpert (1992), with a residual network in place of the linear model.

    A user whom no source scores is unscored, and so is an item that no source scores. If all sources fold
    in unseen users, so does the hybrid, and then it has ``score_histories``.

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        sources: makes each source, by its name, from ``num_users`` and ``num_items``.
        ranker: makes the ranker from ``num_sources`` and ``num_features``.
        num_candidates: only the best unseen items of each source, so many, are ranked, the others are unscored;
            None, or as many as there are items: the whole catalogue.
        ranks: whether ranks count beside scores.
        popularity: whether popularity and activity count.
        freshness: whether freshness counts; it is always 0 without timestamps.
        attention: whether attention over the history counts.
        attributes: whether columns of users and items count.
        attention_dim: dimension of the item vectors of the attention.
        attention_temperature: the lower, the more the most similar item of the history alone counts.
        max_history: latest interactions that are attended to.
        attribute_dim: dimension of the vectors of columns.
        item_columns: item columns that count; None: all but texts.
        user_columns: user columns that count; None: all but texts.

    Raises:
        ModelError: there are no sources, one scores no catalogue, or a dimension is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a ranker of the scores of other models; Wolpert (1992)",
        settings=("sources", "ranker", "num_candidates", "attention", "attributes"),
        use="where several models are better than one ([more](hybrid.md))",
        gives="scores",
        served_from="all of its sources; as a ranker it describes and ranks the candidates alone",
        weights="for its sources alone: a ranker's candidate is relevant or not",
    )

    #: The choice of ``training`` where none is made.
    default_training: ClassVar[str] = "listwise"

    def __init__(
        self,
        num_users: int,
        num_items: int,
        sources: Mapping[str, Callable[..., nn.Module]],
        ranker: Callable[..., nn.Module],
        num_candidates: int | None = None,
        ranks: bool = True,
        popularity: bool = True,
        freshness: bool = True,
        attention: bool = True,
        attributes: bool = True,
        attention_dim: int = 32,
        attention_temperature: float = 0.1,
        max_history: int = 50,
        attribute_dim: int = 8,
        item_columns: Sequence[str] | None = None,
        user_columns: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if not sources:
            raise ModelError(
                "A hybrid needs at least one source, but model.sources is empty. Name some: docs/hybrid.md."
            )
        check_dims(attention_dim=attention_dim, max_history=max_history, attribute_dim=attribute_dim)
        if num_candidates is not None:
            check_dims(num_candidates=num_candidates)
        self.num_items = num_items
        self.num_candidates = num_candidates
        self.ranks = ranks
        self.popularity = popularity
        self.freshness = freshness
        self.item_columns = item_columns
        self._chosen_user_columns = user_columns
        self.sources = nn.ModuleDict(
            {
                name: as_recommender(make(num_users=num_users, num_items=num_items), num_items)
                for name, make in sources.items()
            }
        )
        self.statistics = ItemStatistics(num_items)
        self.attention: HistoryAttention | None = None
        if attention:
            self.attention = HistoryAttention(num_items, attention_dim, attention_temperature, max_history)
        self.attributes = AttributeMatch(attribute_dim, init_std=0.1) if attributes else None
        num_sources = len(self.sources)
        self.num_fixed_features = (
            num_sources * (2 if ranks else 1)
            + (HistoryAttention.num_heads if attention else 0)
            + (ItemStatistics.num_popularity if popularity else 0)
            + (ItemStatistics.num_freshness if freshness else 0)
        )
        self.ranker = ranker(
            num_sources=num_sources,
            num_features=self.num_fixed_features + (AttributeMatch.num_features if attributes else 0),
        )
        if all(isinstance(source, FoldsIn) for source in self.sources.values()):
            # Only then is this a model that folds in: see recsys.models.interface.protocols.FoldsIn.
            self.score_histories = self._score_histories

    def set_item_features(self, features: FeatureTable) -> None:
        """See :class:`recsys.models.interface.protocols.UsesItemFeatures`; sources read them as well.

        Raises:
            ModelError: ``item_columns`` are not among the features.
        """
        for source in self.sources.values():
            if isinstance(source, UsesItemFeatures):
                source.set_item_features(features)
        if self.attributes is not None:
            self.attributes.items = self._embedding(features, self.item_columns)

    def set_user_features(self, features: FeatureTable) -> None:
        """See :class:`recsys.models.interface.protocols.UsesUserFeatures`; sources read them as well.

        Raises:
            ModelError: ``user_columns`` are not among the features.
        """
        for source in self.sources.values():
            if isinstance(source, UsesUserFeatures):
                source.set_user_features(features)
        if self.attributes is not None:
            self.attributes.users = self._embedding(features, self._chosen_user_columns)

    def known_by_content(self) -> Tensor:
        """Which items any of the sources knows by content, shape [I]."""
        known = torch.zeros(self.num_items, dtype=torch.bool, device=self.statistics.popularity.device)
        for source in self.sources.values():
            if (known_by_content := getattr(source, "known_by_content", None)) is not None:
                known = known | known_by_content()
        return known

    def user_columns(self) -> tuple[EncodedColumn, ...]:
        """The columns of the sources, and those that are matched with columns of items."""
        columns = {
            column.name: column
            for source in self.sources.values()
            if isinstance(source, UsesUserFeatures)
            for column in source.user_columns()
        }
        attributes = self.attributes
        if attributes is not None and attributes.items is not None and attributes.users is not None:
            columns |= {column.name: column for column in attributes.users.described}
        return tuple(columns.values())

    def _embedding(self, features: FeatureTable, columns: Sequence[str] | None) -> FeatureEmbedding | None:
        assert self.attributes is not None
        if columns is None:
            # The words of a title are as good as the item's id: a ranker would learn by heart what was held out.
            columns = [column.name for column in features.columns if column.kind != FeatureKind.TEXT]
        if not columns:
            return None
        return FeatureEmbedding(features, columns, self.attributes.embedding_dim, self.attributes.init_std)

    def sentence_encoder(self) -> str | None:
        """The sentence model of the sources that have one.

        Raises:
            ModelError: they have different ones.
        """
        wanted = {encoder for _, encoder in self._read_sentences()}
        if len(wanted) > 1:
            raise ModelError(
                f"Sources of a hybrid share one sentence model, but they have {', '.join(sorted(wanted))}. "
                "Give all of them the same sentence_model."
            )
        return next(iter(wanted), None)

    def set_sentence_vectors(self, vectors: Tensor) -> None:
        """See :class:`recsys.models.interface.protocols.UsesItemFeatures`."""
        for source, _ in self._read_sentences():
            source.set_sentence_vectors(vectors)

    def _read_sentences(self) -> list[tuple[UsesItemFeatures, str]]:
        readers = [source for source in self.sources.values() if isinstance(source, UsesItemFeatures)]
        return [(reader, encoder) for reader in readers if (encoder := reader.sentence_encoder()) is not None]

    def dynamic_buffers(self) -> tuple[str, ...]:
        """The buffers of the sources; see :mod:`recsys.models.interface.protocols`."""
        return tuple(
            f"sources.{name}.{buffer}" for name, source in self.sources.items() for buffer in dynamic_buffers(source)
        )

    def source_models(self) -> dict[str, nn.Module]:
        """See :class:`recsys.models.interface.protocols.RanksCandidates`."""
        return dict(self.sources.items())

    def observe_training(self, interactions: Interactions) -> None:
        """Measure popularity and freshness, and learn the vectors of the attention, on these interactions."""
        self.statistics.measure(interactions)
        if self.attention is not None:
            self.attention.learn(interactions)

    @torch.no_grad()
    def score_sources(self, query: Query) -> SourceScores:
        """Score the catalogue by the sources, and behind them by the heads of the attention.

        Returns:
            Shape [B, S + H, I].
        """
        rows = [source.score(query).float() for source in self.sources.values()]  # type: ignore[operator]
        scores = torch.stack(rows, dim=1)
        if self.attention is not None:
            scores = torch.cat([scores, self.attention(query.histories)], dim=1)
        histories = query.histories
        row = torch.repeat_interleave(torch.arange(len(query), device=scores.device), histories.counts)
        unseen = torch.ones(len(query), self.num_items, dtype=torch.bool, device=scores.device)
        unseen[row, histories.items] = False
        return SourceScores.of(scores, unseen)

    def of_sources(self, source_scores: SourceScores) -> SourceScores:
        """The scores of the sources alone, shape [B, S, I]."""
        num_sources = len(self.sources)
        return SourceScores(
            source_scores.scores[:, :num_sources], source_scores.given[:, :num_sources], source_scores.unseen
        )

    @torch.no_grad()
    def candidate_features(self, query: Query, source_scores: SourceScores, items: Tensor) -> Tensor:
        """Those features of candidates that no step of training changes.

        Args:
            query: B queries.
            source_scores: what :meth:`score_sources` gave for them.
            items: shape [B, C], int64.

        Returns:
            Shape [B, C, F'], float32, the scores of the sources first.
        """
        features = [gather_items(source_scores.scores, items)]
        if self.ranks:
            features.append(gather_items(self.of_sources(source_scores).ranks(), items))
        if self.popularity:
            features.append(self.statistics.popularity_features(query.histories, items))
        if self.freshness:
            features.append(self.statistics.freshness_features(items))
        return torch.cat(features, dim=2)

    def rank(
        self, described: Tensor, users: Tensor, items: Tensor, features: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Score candidates, with gradients.

        Args:
            described: their features, as :meth:`candidate_features` gives them, shape [B, C, F'].
            users: shape [B], int64; -1 for unknown users.
            items: shape [B, C], int64.
            features: those of :class:`recsys.models.interface.protocols.Query`; None or empty: what the data have.

        Returns:
            Shape [B, C], float32.
        """
        if self.attributes is not None:
            described = torch.cat([described, self.attributes(users, items, features)], dim=2)
        scores: Tensor = self.ranker(described)
        return scores

    @torch.no_grad()
    def score(self, query: Query) -> Tensor:
        """Score the catalogue for each query, shape [B, I], float32; NaN for what is no candidate."""
        num_sources = len(self.sources)
        num_heads = 0 if self.attention is None else HistoryAttention.num_heads
        num_ranked = self.num_items
        if self.num_candidates is not None:
            num_ranked = min(num_ranked, num_sources * self.num_candidates)
        of_a_user = max(self.num_items * (num_sources + num_heads), num_ranked * (self.num_fixed_features + 32))
        size = max(1, MAX_FEATURES // of_a_user)
        device = query.users.device
        blocks = [self._score_block(query.take(rows)) for rows in torch.arange(len(query), device=device).split(size)]
        return torch.cat(blocks) if blocks else torch.empty(0, self.num_items, device=device)

    def serving_form(self) -> ServingForm:
        """The ranked catalogue; see :class:`recsys.models.onnx.exportable.Exportable`.

        Raises:
            ModelError: a source cannot be served.
        """
        forms = self._serving_forms()
        # One source after the other; then the attention, or else the features of all items.
        of_interaction = max([*(form.floats_per_position for form in forms), 4 * self.num_items])
        ranked = RankedCatalogue(self._ranker_of(forms)).eval()
        return ServingForm(ranked, None, of_interaction, self.user_columns())

    def serving_ranker(self) -> CandidateRanker:
        """Ranks candidates; see :mod:`recsys.models.onnx.exportable`.

        Raises:
            ModelError: a source cannot be served.
        """
        return self._ranker_of(self._serving_forms(), knows_new_items=True)

    def ranker_item_encoder(self) -> ItemEncoderSpec:
        """What sources and columns know of new items; see :mod:`recsys.models.onnx.exportable`.

        Raises:
            ModelError: no source scores new items.
        """
        specs = [spec for spec in encoders_of(self.sources) if spec is not None]
        if not specs:
            raise ModelError(
                "A hybrid scores new items where a source makes vectors of their features, but none of "
                f"{', '.join(self.sources)} does. Add a source two_tower, or content with num_components."
            )
        columns = None if self.attributes is None else self.attributes.items
        return joined_encoders(specs if columns is None else [*specs, encoder_of_columns(columns)])

    def _serving_forms(self) -> list[ServingForm]:
        forms = []
        for name, source in self.sources.items():
            if not isinstance(source, Exportable):
                raise ModelError(f"A hybrid is served with all of its sources, but {name} cannot be. Leave it out.")
            forms.append(source.serving_form())
        return forms

    @torch.no_grad()
    def _ranker_of(self, forms: Sequence[ServingForm], knows_new_items: bool = False) -> CandidateRanker:
        attention, attributes, new_candidates = self.attention, self.attributes, None
        encoders = encoders_of(self.sources) if knows_new_items else []
        if any(spec is not None for spec in encoders):
            new_candidates = NewCandidates(
                [None if spec is None else form.dim for spec, form in zip(encoders, forms, strict=True)],
                None if attributes is None or attributes.items is None else attributes.embedding_dim,
                0 if attention is None else HistoryAttention.num_heads,
                self.statistics,
            )
        served_attributes = None
        if attributes is not None:
            weights = attributes.item_weights
            items = weights.new_zeros(self.num_items, len(weights)) if attributes.items is None else attributes.items()
            users = None if attributes.items is None or attributes.users is None else attributes.users.of_users()
            served_attributes = ServedAttributes(items, users, weights)
        return CandidateRanker(
            forms,
            self.num_items,
            self.ranker,
            self.num_candidates,
            self.ranks,
            None
            if attention is None
            else ServedAttention(attention.vectors, attention.temperature, attention.max_history),
            self.statistics,
            self.popularity,
            self.freshness,
            served_attributes,
            new_candidates,
        ).eval()

    @torch.no_grad()
    def score_candidates(self, query: Query, items: Tensor) -> Tensor:
        """Rank ``items`` (shape [B, C], int64), whoever found them; NaN for what no source scores.

        The candidates of the sources (``num_candidates``) have no effect here: they stand in for a missing retriever.
        """
        num_features = self.num_items * (len(self.sources) + HistoryAttention.num_heads)
        size = max(1, MAX_FEATURES // max(num_features, items.shape[1] * (self.num_fixed_features + 32)))
        scores = []
        for rows in torch.arange(len(query), device=items.device).split(size):
            block, candidates = query.take(rows), items[rows]
            source_scores = self.score_sources(block)
            ranked = self.rank(
                self.candidate_features(block, source_scores, candidates), block.users, candidates, block.features
            )
            given = self.of_sources(source_scores).given.any(1).gather(1, candidates)
            scores.append(ranked.masked_fill(~given, torch.nan))
        return torch.cat(scores) if scores else items.float()

    def _score_block(self, query: Query) -> Tensor:
        source_scores = self.score_sources(query)
        sources = self.of_sources(source_scores)
        if self.num_candidates is None or self.num_candidates >= self.num_items:
            items = torch.arange(self.num_items, device=query.users.device).expand(len(query), -1)
            ranked = self.rank(self.candidate_features(query, source_scores, items), query.users, items, query.features)
            return ranked.masked_fill(~sources.given.any(1), torch.nan)
        items, inside = row_positions(sources.retrieved(self.num_candidates))
        ranked = self.rank(self.candidate_features(query, source_scores, items), query.users, items, query.features)
        scores = torch.full(sources.unseen.shape, torch.nan, device=ranked.device)
        row = torch.arange(len(query), device=ranked.device)[:, None].expand_as(items)
        scores[row[inside], items[inside]] = ranked[inside]
        return scores

    def _score_histories(self, histories: Histories) -> Tensor:
        """Score the catalogue for users of whom only the history is known."""
        return self.score(Query(torch.full_like(histories.counts, -1), histories))
