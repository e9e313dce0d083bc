"""Bodies of what is known of a bundle's models: how they were measured, and where items lie."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import Field

from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_evaluation import ModelEvaluation, evaluations_of
from recsys.runtime.item_map import ItemMap
from recsys_serving.api.schemas.base import ResponseBody


class MetricResponse(ResponseBody):
    """A metric of the test users."""

    metric: str
    k: int
    value: float
    low: float | None = Field(description="Of its 95 % interval; null: it has none.")
    high: float | None


class SegmentResponse(ResponseBody):
    """A metric of a part of the users or items."""

    segment: str = Field(description="By what they are divided, such as item_popularity.")
    group: str = Field(description="The part, such as tail.")
    metric: str
    k: int
    value: float


class ModelEvaluationResponse(ResponseBody):
    """What one model of a bundle was measured at."""

    role: Literal["retriever", "ranker"]
    model: str
    run: str = Field(description="Directory of its training.")
    before_refit: bool = Field(description="Measured before it was trained once more, on all interactions.")
    metrics: list[MetricResponse]
    baseline: list[MetricResponse] = Field(description="Of what its run was compared with: what is popular.")
    segments: list[SegmentResponse]
    learning_curve: list[dict[str, float]] = Field(description="Metrics of each epoch; empty without epochs.")

    @classmethod
    def of(cls, one: ModelEvaluation) -> ModelEvaluationResponse:
        """That of an evaluation."""
        return cls(**asdict(one))


class BundleEvaluationResponse(ResponseBody):
    """What the models of a bundle were measured at when they were trained."""

    bundle: str
    data: str
    data_hash: str = Field(description="Metrics of bundles of other data cannot be compared.")
    created_at: str
    num_users: int
    num_items: int
    models: list[ModelEvaluationResponse] = Field(description="What finds candidates, then the ranker, if any.")

    @classmethod
    def of(cls, bundle: Bundle) -> BundleEvaluationResponse:
        """That of a bundle."""
        manifest = bundle.manifest
        return cls(
            bundle=bundle.directory.name,
            data=manifest.data.name,
            data_hash=manifest.data.content_hash,
            created_at=manifest.created,
            num_users=manifest.data.num_users,
            num_items=manifest.data.num_items,
            models=[ModelEvaluationResponse.of(one) for one in evaluations_of(manifest, bundle.directory)],
        )


class MappedItemResponse(ResponseBody):
    """An item of a map."""

    item_id: str
    title: str
    x: float
    y: float
    num_interactions: int
    categories: list[str]


class ItemMapResponse(ResponseBody):
    """The items with the most interactions, by their first two principal components."""

    bundle: str
    items: list[MappedItemResponse]
    explained: list[float] = Field(description="Share of the variance of the vectors that each axis has.")
    column: str | None = Field(description="That categories are of; null: there is none.")
    note: str | None = Field(description="Why there is no map; null: there is one.")

    @classmethod
    def of(cls, name: str, one: ItemMap) -> ItemMapResponse:
        """That of a map."""
        return cls(bundle=name, **asdict(one))
