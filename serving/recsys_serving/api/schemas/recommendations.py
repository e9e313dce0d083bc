"""Bodies of requests for lists, and of their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from recsys_serving.api.schemas.base import (
    MAX_LIST,
    WHOLE,
    CursorText,
    Id,
    Moment,
    Name,
    RequestBody,
    ResponseBody,
    Scalar,
    Title,
)
from recsys_serving.api.schemas.traces import TraceResponse
from recsys_serving.recommending.types import Boost, Diversity, HistoryItem, Promotion, RecommendationQuery

#: The longest list, whatever the settings say.
MAX_K = 1_000
MAX_REQUESTS = 100

Column = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Filters = Annotated[
    dict[str, Any],
    Field(
        max_length=100,
        description='Which items, by column: {"genres": {"any_of": ["Drama"], "none_of": ["Horror"]}, "year": '
        '{"gte": 1990, "lte": 1999}}; combined by "and", "or" (lists of filters) and "not".',
    ),
]


class SessionItem(RequestBody):
    """An interaction of a visit that the store does not know."""

    item_id: Id
    value: Annotated[float, Field(ge=-1e9, le=1e9)] | None = None
    timestamp: Moment | None = None


class SessionBody(RequestBody):
    """What somebody has done who need not be known, oldest first."""

    history: Annotated[list[SessionItem], Field(max_length=MAX_LIST)]

    @model_validator(mode="after")
    def _check_times(self) -> SessionBody:
        if len({one.timestamp is None for one in self.history}) > 1:
            raise ValueError("Either each interaction of a session has a timestamp, or none has")
        return self


class BoostBody(RequestBody):
    """A factor on the scores of items that match."""

    filters: Filters
    factor: Annotated[float, Field(ge=0, le=1_000)]


class PromotionBody(RequestBody):
    """An item with a place of its own."""

    item_id: Id
    position: Annotated[int, Field(ge=1, le=MAX_K), WHOLE]


class DiversityBody(RequestBody):
    """How a list is made diverse."""

    kind: Literal["mmr", "calibrated"]
    weight: Annotated[float, Field(ge=0, le=1)] = 0.3
    column: Column | None = None


class SeenAfterBody(RequestBody):
    """Seen items come back after some days."""

    after_days: Annotated[float, Field(gt=0, le=36_500)]


BundleName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$")]


class PreviewBody(RequestBody):
    """A bundle, or a variant of an experiment, that makes a list in place of what the user gets."""

    bundle: Annotated[BundleName | None, Field(description="Name of a bundle; it is opened where it is not.")] = None
    experiment_id: Annotated[Name | None, Field(description="Of any status, a draft too.")] = None
    variant: Annotated[Title | None, Field(description="Name of one of its variants.")] = None

    @model_validator(mode="after")
    def _check_one(self) -> PreviewBody:
        of_variant = (self.experiment_id is not None, self.variant is not None)
        if any(of_variant) != all(of_variant) or any(of_variant) == (self.bundle is not None):
            raise ValueError("Either a bundle is required, or an experiment_id with a variant")
        return self


class RecommendationBody(RequestBody):
    """A request for one list: of a user, of a session, or of nobody in particular."""

    user_id: Id | None = None
    session: SessionBody | None = None
    k: Annotated[int, Field(ge=1, le=MAX_K), WHOLE] = 10
    filters: Filters | None = None
    exclude_items: Annotated[list[Id], Field(max_length=MAX_LIST)] = []
    boosts: Annotated[list[BoostBody], Field(max_length=20)] = []
    promotions: Annotated[list[PromotionBody], Field(max_length=50)] = []
    diversity: DiversityBody | None = None
    explain: bool = False
    user_features: Annotated[
        dict[Column, Scalar | Annotated[list[Scalar], Field(max_length=100)] | None], Field(max_length=100)
    ] = {}
    scenario: Name | None = None
    log_exposure: bool = Field(
        default=True, description="Whether the list is shown to the user, and so noted for evaluation."
    )
    session_id: Id | None = Field(default=None, description="Of the visit, for experiments by session.")
    exclude_seen: bool | SeenAfterBody | None = None
    metadata: Annotated[list[Column], Field(max_length=50, description="Columns of the items to answer with.")] = []
    cursor: CursorText | None = None
    preview: PreviewBody | None = Field(
        default=None,
        description="What makes the list; it needs the scope admin, and such a list is not noted.",
    )
    trace: bool = Field(default=False, description="Whether the way to the list is told; it takes longer.")

    def to_query(self) -> RecommendationQuery:
        """What the service is asked."""
        session = None
        if self.session is not None:
            session = [HistoryItem(one.item_id, one.value, one.timestamp) for one in self.session.history]
        diversity, seen = self.diversity, self.exclude_seen
        return RecommendationQuery(
            user_id=self.user_id,
            session=session,
            k=self.k,
            filters=self.filters or None,
            exclude_items=tuple(self.exclude_items),
            boosts=tuple(Boost(one.filters, one.factor) for one in self.boosts),
            promotions=tuple(Promotion(one.item_id, one.position) for one in self.promotions),
            diversity=None if diversity is None else Diversity(diversity.kind, diversity.weight, diversity.column),
            explain=self.explain,
            user_features=self.user_features,
            scenario=self.scenario,
            session_id=self.session_id,
            exclude_seen={"after_days": seen.after_days} if isinstance(seen, SeenAfterBody) else seen,
            metadata=tuple(self.metadata),
            cursor=self.cursor,
            log_exposure=self.log_exposure,
        )


class RecommendationBatchBody(RequestBody):
    """Several requests, which are answered together."""

    requests: Annotated[list[RecommendationBody], Field(min_length=1, max_length=MAX_REQUESTS)]


class ContributionResponse(ResponseBody):
    """What an item of the history adds to a score."""

    item_id: str
    title: str
    value: float | None = Field(description="Part of the score; null where the model does not split its score.")
    shared: list[str] = Field(description="What both items have in common, the rarest first.")


class ExplanationResponse(ResponseBody):
    """The parts of a score: with ``older_value`` and ``rest`` the contributions add up to it."""

    contributions: list[ContributionResponse] = Field(description="The largest ones above zero.")
    num_older: int = Field(description="Oldest interactions, which were taken as one.")
    older_value: float
    popularity: int | None = Field(description="Interactions of the item, where the score is not of the history.")
    rest: float | None = Field(description="Further items of the history, and what does not come from it.")


class ListedItem(ResponseBody):
    """An item of a list."""

    item_id: str
    title: str
    score: float | None = Field(description="By the model, with boosts; null where it has none.")
    rank: int = Field(description="In the whole list, from 1.")
    metadata: dict[str, Any] = Field(description="The columns that were asked for; null where nothing is known.")
    reasons: list[str] = Field(description="Why it is here, where that was asked for.")
    explanation: ExplanationResponse | None = Field(description="The parts of the score, where they were asked for.")
    propensity: float = Field(description="Probability that it was shown at this rank; 1 without exploration.")


class RecommendationResponse(ResponseBody):
    """A list."""

    recommendation_id: str = Field(description="For interactions to name the list that they came from.")
    user_id: str | None
    model_version: str
    bundle: str
    variant: str | None
    experiment_id: str | None
    personalized: bool = Field(description="Whether the list is the user's own, and not what is popular.")
    degraded: list[str] = Field(description="What the answer had to do without; empty when all is well.")
    notes: list[str]
    unknown_items: list[str]
    unknown_values: list[str]
    unknown_filter_values: list[str] = Field(description="Values in filters that no item has, as column: value.")
    explanation_method: str | None
    items: list[ListedItem]
    next_cursor: str | None = Field(description="For the next page; null where nothing is left.")
    trace: TraceResponse | None = Field(default=None, description="The way to it; only where it was asked for.")


class RecommendationBatchResponse(ResponseBody):
    """A list for each request, in their order."""

    recommendations: list[RecommendationResponse]


class SimilarResponse(ResponseBody):
    """The items that are most like one."""

    item_id: str
    by: Literal["model", "content"]
    measure: str = Field(description="What the similarities are, or why there are none.")
    bundle: str
    degraded: list[str]
    items: list[ListedItem]


class ElicitationResponse(ResponseBody):
    """Items to ask a new user about."""

    bundle: str
    items: list[ListedItem]
