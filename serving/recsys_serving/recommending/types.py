"""What one request for recommendations becomes, and what answers it; nothing here knows HTTP.

Values of a query are checked where they are used: by :class:`recsys.runtime.request.RecommendationRequest`, and by the
modules of boosts, promotions and cursors. All of them raise :class:`recsys.errors.RequestError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from recsys.runtime.recommendation import SimilarityKind
from recsys.runtime.user_features import FeatureValue

#: What an answer had to do without, in an answer's ``degraded``:
#:
#: - ``store``: PostgreSQL did not answer in time; the history is the last one known here, or that of the bundle.
#: - ``runtime``: the model server did not answer in time; the bundle in this process, or what is popular, did.
#: - ``cache``: the cache did not answer in time; the list was computed.
#: - ``experiments``: the experiments could not be read; the variant is that of the last ones known here.
#: - ``exposures``: this list could not be noted for later evaluation.
Degraded = Literal["store", "runtime", "cache", "experiments", "exposures"]


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One interaction of a session that the request brings along.

    Args:
        item_id: of the item.
        value: a rating, where the data have ratings; None: there is none.
        timestamp: when, by the rules of preparation: seconds since 1970, finer units, or a date; None: not known.
            Either every interaction of a session has one, or none.
    """

    item_id: str
    value: float | None = None
    timestamp: int | float | str | datetime | None = None


@dataclass(frozen=True, slots=True)
class Boost:
    """A factor on the scores of the items that match filters; see :mod:`recsys_serving.recommending.boosts`.

    Args:
        filters: which items, in the language of :mod:`recsys.retrieval.filtering.filter_language`.
        factor: above 1 lifts them, below 1 lowers them, 0 puts them last.
    """

    filters: Mapping[str, Any]
    factor: float


@dataclass(frozen=True, slots=True)
class Promotion:
    """An item that has a place in the list, whatever its score; see :mod:`recsys_serving.recommending.promotions`.

    Args:
        item_id: of the item. It still has to be there, and to pass the filters and what the request excludes.
        position: its rank in the list, from 1.
    """

    item_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Diversity:
    """How a list is made diverse; see :class:`recsys.runtime.request.RecommendationRequest`.

    Args:
        kind: ``mmr`` or ``calibrated``.
        weight: from 0 (the list as it is) to 1.
        column: by which it is diverse; None: the first multi-valued feature.
    """

    kind: str
    weight: float = 0.3
    column: str | None = None


@dataclass(frozen=True, slots=True)
class RecommendationQuery:
    """One user, or one session, that asks for a list.

    Args:
        user_id: who asks; None where only a session is known.
        session_id: id of the visit, for experiments by session and for exposures; None: not known.
        session: the history to recommend from, in place of the stored one; None: the stored one.
        k: length of the list, or of the next page.
        filters: which items the list may have; None: all.
        exclude_items: ids that must not be in the list.
        boosts: factors on scores of some items.
        promotions: items with a place of their own.
        diversity: how the list is made diverse; None: not at all.
        explain: whether each item comes with reasons.
        user_features: columns of the user, in place of what is stored.
        scenario: name of the place that shows the list, for experiments and exposures; None: none.
        exclude_seen: as :class:`recsys.runtime.request.RecommendationRequest` has it; None: as the bundle has it.
        metadata: columns of the items that the answer should have.
        cursor: ``next_cursor`` of the answer before, for the page after it. With one, whatever decides which items
            come (user, session, filters, boosts, diversity ...) has to be as it was; ``k``, ``metadata`` and
            ``explain`` may change.
        log_exposure: whether the list is shown to the user, and so noted for evaluation.
    """

    user_id: str | None = None
    session_id: str | None = None
    session: Sequence[HistoryItem] | None = None
    k: int = 10
    filters: Mapping[str, Any] | None = None
    exclude_items: Sequence[str] = ()
    boosts: Sequence[Boost] = ()
    promotions: Sequence[Promotion] = ()
    diversity: Diversity | None = None
    explain: bool = False
    user_features: Mapping[str, FeatureValue] = field(default_factory=dict, hash=False)
    scenario: str | None = None
    exclude_seen: Mapping[str, float] | bool | None = None
    metadata: Sequence[str] = ()
    cursor: str | None = None
    log_exposure: bool = True


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """One item of a list.

    Args:
        item_id: of the item.
        title: of the item; the id where it has none.
        score: by the model, with boosts; None for what search and promotions put there without a score.
        rank: in the whole list, from 1; the second page goes on counting.
        metadata: the columns that were asked for; None where nothing is known.
        reasons: why it is here, in sentences; empty unless they were asked for.
        explanation: the parts of its score, see :func:`recsys_serving.recommending.reasons.explanation_of`; None unless
            they were asked for and the list is the user's own.
        propensity: probability that this item was shown at this rank; 1 without exploration.
    """

    item_id: str
    title: str
    score: float | None
    rank: int
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    reasons: tuple[str, ...] = ()
    explanation: Mapping[str, Any] | None = field(default=None, hash=False)
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class RecommendationAnswer:
    """A list for one query.

    Args:
        recommendation_id: of this list (a UUID), which interactions name so that they can be attributed to it.
        user_id: who asked; None for a session without one.
        items: best first.
        model_version: what answered: the name of a bundle, or the version that a model server has.
        bundle: name of the bundle.
        variant: of the experiment that the user is in; None outside of experiments.
        experiment_id: of that experiment; None outside of experiments.
        personalized: whether the list is the user's own; else it is what is popular.
        degraded: what the answer had to do without; empty when everything answered.
        notes: what the reader should know of the list, in sentences.
        unknown_items: ids of the history and of the exclusions that the data do not have.
        unknown_values: of the user's features, as ``column: value``.
        unknown_filter_values: of the query's filters, likewise: values that no item has.
        explanation_method: how reasons were computed, in a sentence; None without.
        next_cursor: for the page after this one; None where nothing is left.
    """

    recommendation_id: str
    user_id: str | None
    items: tuple[AnsweredItem, ...]
    model_version: str
    bundle: str
    variant: str | None = None
    experiment_id: str | None = None
    personalized: bool = False
    degraded: tuple[Degraded, ...] = ()
    notes: tuple[str, ...] = ()
    unknown_items: tuple[str, ...] = ()
    unknown_values: tuple[str, ...] = ()
    unknown_filter_values: tuple[str, ...] = ()
    explanation_method: str | None = None
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """The items that are most like one.

    Args:
        item_id: the one.
        items: the most similar first; the score is the similarity.
        measure: what similarities are, in words, or why there are none.
        by: what was compared.
        bundle: name of the bundle.
        degraded: see :class:`RecommendationAnswer`.
    """

    item_id: str
    items: tuple[AnsweredItem, ...]
    measure: str
    by: SimilarityKind
    bundle: str
    degraded: tuple[Degraded, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Items whose titles match a text.

    Args:
        items: the best match first; the score is the likeness from 0 to 100.
        total: matches that were found in all, at most some hundred.
    """

    items: tuple[AnsweredItem, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ElicitationAnswer:
    """Items to ask a new user about: many know them, and they differ from each other.

    Args:
        items: the most telling first; the score is the number of interactions.
        bundle: name of the bundle.
    """

    items: tuple[AnsweredItem, ...]
    bundle: str


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """An item as the API tells of it.

    Args:
        item_id: of the item.
        title: for people; None: not known.
        properties: values of the item's columns, by column.
        available: whether it may be recommended.
        deleted: whether it is gone: as not available, and not found by a search.
    """

    item_id: str
    title: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)
    available: bool = True
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class LoadedBundle:
    """A bundle that this process can answer from.

    Args:
        name: of its directory.
        fingerprint: tells it from any other, see :func:`recsys.runtime.manifest.fingerprint_of`.
        model: that scores, such as ``two_tower``.
        live: whether it answers users outside of experiments.
        memory_bytes: that opening it took, as measured; an estimate where the process shares memory.
        num_items: of its catalogue, with what was added since.
        num_users: whose histories it knows.
        created_at: when it was exported, ISO 8601; None: it does not say.
        data: name of the data.
    """

    name: str
    fingerprint: str
    model: str
    live: bool
    memory_bytes: int
    num_items: int
    num_users: int
    created_at: str | None
    data: str
