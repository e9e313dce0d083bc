"""Items by their features, users by the items of their history.

Shape suffixes: B queries, C requested items, I items of the catalogue, V words of all columns (0 where they are
projected or do not count), D components of projected words and of sentences, E dimension of a sentence model,
M interactions of all histories together, N stored entries, K items of each query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.components.tf_idf import choose_columns, rarities, tf_idf
from recsys.models.interface.explanation import Explanation, rows_of, shares_of_interactions
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import right_singular_vectors
from recsys.models.onnx.content_profile import ContentProfile, RatingsAbove
from recsys.models.onnx.embedded_columns import coded_columns
from recsys.models.onnx.explainers import ContentExplainer
from recsys.models.onnx.exportable import ItemEncoderSpec, ServingForm
from recsys.models.onnx.new_items import ProjectedWords

#: What a rating may be compared with.
MEANS = ("user_mean", "global_mean")

#: Interactions of histories whose items' words are added up at once: a bound on memory, not on what can be scored.
INTERACTIONS_PER_BLOCK = 2**15

#: A sum of unit vectors that is shorter than this share of the sum of its weights is what rounding left of nothing.
ROUNDING = 1e-6


class Content(nn.Module):
    """The cosine of an item's TF-IDF vector and the sum of those in the user's history.

    ``score(u, i) = cos(sum_j w_uj x_j, x_i)``, where ``x`` are the vectors of
    :func:`recsys.models.components.tf_idf.tf_idf` and ``w_uj`` is the recency of the interaction times its rating above
    a mean, if ratings count. So it scores users whom it has never seen and items that nobody has interacted with. A
    user whose history is empty, has no content or cancels out is unscored (NaN); so is an item without content, for
    everyone.

    Pazzani, Billsus: Content-Based Recommendation Systems (2007). Its profile is that of Rocchio (1971), the rated
    items being the relevant and the irrelevant ones.

    The vectors are kept sparse: 12 bytes for each word of an item (60,000 items of 30 words: 22 MB), whatever the
    vocabulary. Scoring a batch takes ``4 * B * (V + I)`` bytes; :meth:`encode_items` takes ``4 * C * V``. With
    ``num_components`` the vectors are projected on as many directions, in which words that go together are alike
    (latent semantic analysis: Deerwester et al., 1990): ``4 * I * D`` bytes, small enough for an index of vectors.
    With ``sentence_model`` the items have the vectors of their texts as well, of E dimensions that are among D.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        columns: which item features count, with a weight above 0 for each; None: all that have words, 1 each.
        num_components: D of the projection, fewer where there are fewer items or words; None: no projection.
        ratings_above: an item of the history counts by its rating above the ``user_mean`` or the ``global_mean`` of
            ratings, below it with a negative weight; None: each counts 1. A history whose ratings all equal the mean,
            or that has none, is taken as if ratings did not count.
        recency: how much less older interactions count; None: no less.
        sentence_model: name or path of a model of sentence-transformers, by which texts are alike that mean the same;
            None: only words count.
        sentence_share: how much of the similarity of two items comes from it, above 0; 1: words do not count.
        seed: of the start of the projection's iteration.

    Raises:
        ModelError: ``ratings_above`` is no such mean, ``num_components`` is not positive, or ``sentence_share`` is not
            a share.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="the words of an item and those of the history; Pazzani, Billsus (2007)",
        settings=("columns", "num_components", "ratings_above", "recency"),
        use="for items without interactions, or where content is rich (brands, tags, topics)",
        gives="scores",
        served_from="the words of the history; with `num_components` a vector, and vectors for new items",
        weights="not used: a profile is made of a history, which has none",
    )

    offsets: Tensor
    words: Tensor
    values: Tensor
    components: Tensor
    has_content: Tensor
    mean_rating: Tensor

    def __init__(
        self,
        num_users: int,
        num_items: int,
        columns: Mapping[str, float] | None = None,
        num_components: int | None = None,
        ratings_above: str | None = None,
        recency: Recency | None = None,
        sentence_model: str | None = None,
        sentence_share: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if ratings_above is not None and ratings_above not in MEANS:
            raise ModelError(f"model.ratings_above must be null, {' or '.join(MEANS)}, but it is {ratings_above}.")
        if num_components is not None:
            check_dims(num_components=num_components)
        if not 0 < sentence_share <= 1:
            raise ModelError(
                f"model.sentence_share must be above 0 and at most 1, but it is {sentence_share}. "
                "model.sentence_model=null leaves sentences out."
            )
        self.columns = columns
        self.num_components = num_components
        self.ratings_above = ratings_above
        self.recency = recency or Recency()
        self.sentence_model = sentence_model
        self.sentence_share = sentence_share
        self.seed = seed
        self.num_words = 0
        # From the features, as the vectors are; not part of the state.
        self._new_items: ItemEncoderSpec | None = None
        self.register_buffer("offsets", torch.zeros(num_items + 1, dtype=torch.int64))
        self.register_buffer("words", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("values", torch.zeros(0))
        self.register_buffer("components", torch.zeros(num_items, 0))
        self.register_buffer("has_content", torch.zeros(num_items, dtype=torch.bool))
        self.register_buffer("mean_rating", torch.zeros(()))

    def set_item_features(self, features: FeatureTable) -> None:
        """Make the items' vectors out of their words, if these count.

        Raises:
            ModelError: ``columns`` do not fit the features, or no item has content.
        """
        if self.sentence_model is not None and self.sentence_share == 1:
            return
        columns = choose_columns(features, self.columns)
        vectors = tf_idf(features, columns)
        if len(vectors.values) == 0:
            raise ModelError(
                f"No item has a value in the columns {', '.join(columns)}, so that nothing is known of their content. "
                "Fill or declare other columns, or choose another model."
            )
        if self.num_components is None:
            self.offsets, self.words, self.values = vectors.offsets, vectors.columns, vectors.values
            self.num_words = vectors.num_columns
            self.has_content = vectors.counts > 0
        else:
            num_components = min(self.num_components, len(vectors), vectors.num_columns)
            projection = right_singular_vectors(vectors, num_components, self.seed)
            rarity = [rarities(features, name) for name in columns]
            words = ProjectedWords(rarity, list(columns.values()), projection, ROUNDING).eval()
            self._new_items = ItemEncoderSpec(words, coded_columns(features, list(columns)))
            components = vectors @ projection
            lengths = components.norm(dim=1, keepdim=True)
            self.has_content = lengths[:, 0] > ROUNDING
            self.components = torch.where(self.has_content[:, None], components / lengths, 0.0)

    def sentence_encoder(self) -> str | None:
        """The sentence model that the items' texts are wanted from."""
        return self.sentence_model

    def set_sentence_vectors(self, vectors: Tensor) -> None:
        """Put ``vectors`` (shape [I, E], of length 1 or 0) beside those of the words; the sum of both has length 1."""
        has_sentence = vectors.any(dim=1)
        words = (1 - self.sentence_share) * self.has_content
        sentences = self.sentence_share * has_sentence
        total = (words + sentences).masked_fill(~(self.has_content | has_sentence), 1)
        of_words, of_sentences = (words / total).sqrt(), (sentences / total).sqrt()
        self.values = self.values * of_words.repeat_interleave(self.offsets.diff())
        self.components = torch.cat([self.components * of_words[:, None], vectors * of_sentences[:, None]], dim=1)
        self.has_content = self.has_content | has_sentence

    def fit(self, interactions: Interactions) -> None:
        """Learn the mean rating, where it counts; the items' vectors do not depend on interactions.

        Raises:
            ModelError: ratings or times count, but the interactions have none.
        """
        self.recency.check(interactions)
        if self.ratings_above is None:
            return
        if interactions.rating is None:
            raise ModelError(
                "Weights by rating need interactions with ratings, but these data have none. "
                "Set model.ratings_above=null, or give a rating column."
            )
        self.mean_rating.fill_(float(interactions.rating.mean(dtype="float64")))

    def known_by_content(self) -> Tensor:
        """Which items have content, shape [I]; see :mod:`recsys.models.interface.protocols`."""
        return self.has_content

    def score(self, query: Query) -> Tensor:
        """Score every item, shape [B, I], in [-1, 1], from the histories of ``query`` alone."""
        return self.score_histories(query.histories)

    def score_histories(self, histories: Histories) -> Tensor:
        """Score every item, shape [B, I], in [-1, 1]; NaN for users and items whose content is not known."""
        words, components = self._profiles(histories).split([self.num_words, self.components.shape[1]], dim=1)
        if self.num_words == 0:
            scores = components @ self.components.T
        else:
            scores = (InteractionMatrix(self.offsets, self.words, self.values, self.num_words) @ words.T).T
            if components.shape[1] > 0:
                scores += components @ self.components.T
        return scores.index_fill_(1, (~self.has_content).nonzero()[:, 0], torch.nan)

    def encode_users(self, query: Query) -> Tensor:
        """The profiles of ``query``, scaled to length 1, shape [B, V + D]; NaN where there is none."""
        return self._profiles(query.histories)

    def encode_items(self, items: Tensor) -> Tensor:
        """The vectors of ``items`` (shape [C], int64), of length 1, shape [C, V + D]; NaN for items without content."""
        row, words, values = self._entries(items)
        vectors = self.values.new_zeros(len(items), self.num_words)
        vectors[row, words] = values
        vectors = torch.cat([vectors, self.components[items]], dim=1)
        return vectors.masked_fill_(~self.has_content[items][:, None], torch.nan)

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """Profiles, or scores where words count one by one; see :class:`recsys.models.onnx.exportable.Exportable`."""
        encoder = self._profile()
        vectors = self.components.masked_fill(~self.has_content[:, None], torch.nan) if self.num_words == 0 else None
        return ServingForm(encoder, vectors, encoder.floats_per_position)

    @torch.no_grad()
    def explaining_form(self) -> ContentExplainer:
        """Products of the items' vectors; see :mod:`recsys.models.onnx.exportable`."""
        return ContentExplainer(self._profile()).eval()

    def _profile(self) -> ContentProfile:
        ratings = None
        if self.ratings_above is not None:
            ratings = RatingsAbove(self.mean_rating if self.ratings_above == "global_mean" else None, ROUNDING)
        words = InteractionMatrix(self.offsets, self.words, self.values, self.num_words)
        return ContentProfile(words, self.components, self.has_content, ratings, self.recency, ROUNDING).eval()

    def item_encoder(self) -> ItemEncoderSpec:
        """The projection of the words of new items; see :mod:`recsys.models.onnx.exportable`.

        Raises:
            ModelError: words are not projected, or a sentence model counts.
        """
        if self._new_items is None or self.sentence_model is not None:
            reason = "knows texts by a sentence model" if self.sentence_model is not None else "has no dense vectors"
            raise ModelError(
                f"New items get vectors from the words of their columns alone, but this model {reason}. Train one with "
                "model.num_components set, and with model.sentence_model=null."
            )
        return self._new_items

    def _entries(self, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What is stored of ``items``, shape [C]: position in ``items``, word and value of each entry, shape [N]."""
        start, counts = self.offsets[items], self.offsets.diff()[items]
        row = torch.repeat_interleave(torch.arange(len(items), device=items.device), counts)
        place = torch.arange(len(row), device=items.device) + (start - (counts.cumsum(0) - counts))[row]
        return row, self.words[place], self.values[place]

    def explain(self, query: Query, items: Tensor) -> Explanation:
        """Each interaction has ``w_j x_j . x_i`` over the length of the profile; nothing is left as rest.

        A shorter history has another length: the parts are shares of this score, not what it would lose.
        """
        histories = query.histories
        weights = self._weighted(histories)
        _, lengths = self._sums(weights)
        parts = self.values.new_zeros(len(histories.items), items.shape[1])
        for row, asked in enumerate(items.clamp(min=0)):  # of one user at once, as the vectors are as wide as all words
            own = slice(*histories.offsets[row : row + 2].tolist())
            targets = self.encode_items(asked)
            parts[own] = self.encode_items(histories.items[own]).nan_to_num() @ targets.T
        parts *= (shares_of_interactions(histories, weights) / lengths[rows_of(histories)])[:, None]
        unscored = (items < 0) | ~self.has_content[items.clamp(min=0)] | lengths.isnan()[:, None]
        rest = torch.zeros_like(items, dtype=parts.dtype).masked_fill_(unscored, torch.nan)
        return Explanation(histories, parts.masked_fill_(unscored[rows_of(histories)], torch.nan), rest)

    def _profiles(self, histories: Histories) -> Tensor:
        """The sums of the items' vectors, scaled to length 1, shape [B, V + D]; NaN where nothing is left."""
        sums, lengths = self._sums(self._weighted(histories))
        return sums.div_(lengths[:, None])

    def _weighted(self, histories: Histories) -> InteractionMatrix:
        """How much each item of a history counts in its profile: B rows, I columns."""
        return InteractionMatrix.from_histories(histories, len(self.has_content), self._weights(histories))

    def _sums(self, weights: InteractionMatrix) -> tuple[Tensor, Tensor]:
        """The weighted sums of the items' vectors, [B, V + D], and their lengths, [B]; NaN where nothing is left."""
        sums = self._sums_of_words(weights)
        if self.components.shape[1] > 0:
            sums = torch.cat([sums, weights @ self.components], dim=1)
        lengths = sums.norm(dim=1)
        total = torch.zeros_like(lengths).index_add_(0, weights.rows, weights.values.abs())
        return sums, lengths.masked_fill_(lengths <= ROUNDING * total, torch.nan)

    def _sums_of_words(self, weights: InteractionMatrix) -> Tensor:
        """``weights`` (B by I) times the items' sparse vectors, shape [B, V]."""
        sums = self.values.new_zeros(len(weights), self.num_words)
        flat = sums.view(-1)
        blocks = (part.split(INTERACTIONS_PER_BLOCK) for part in (weights.rows, weights.columns, weights.values))
        for rows, items, values in zip(*blocks, strict=True):
            position, words, entries = self._entries(items)
            flat.index_add_(0, rows[position] * self.num_words + words, entries * values[position])
        return sums

    def _weights(self, histories: Histories) -> Tensor | None:
        """How much each interaction counts, shape [M]; None for 1 each."""
        recency = self.recency.weights(histories)
        ratings = histories.rating
        if self.ratings_above is None or ratings is None:
            return recency
        counts = histories.counts

        def total(values: Tensor) -> Tensor:
            return torch.segment_reduce(values, "sum", offsets=histories.offsets, initial=0)

        means = self.mean_rating
        if self.ratings_above == "user_mean":
            means = (total(ratings) / counts).repeat_interleave(counts)
        above = ratings - means
        tells = total(above.abs()) > ROUNDING * total(ratings.abs())
        weights = torch.where(tells.repeat_interleave(counts), above, 1.0)
        return weights if recency is None else weights * recency
