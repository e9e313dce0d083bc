"""Bodies of users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from recsys_serving.api.schemas.base import Id, PropertiesField, RequestBody, ResponseBody
from recsys_serving.api.schemas.interactions import InteractionResponse
from recsys_serving.store.events.records import Exposure
from recsys_serving.store.users.records import User


class UserBody(RequestBody):
    """A user."""

    user_id: Id
    properties: PropertiesField = {}
    profiling: bool = Field(default=True, description="Whether the history may shape recommendations.")


class UserChangeBody(RequestBody):
    """What changes of a user; what is not named stays."""

    properties: PropertiesField | None = Field(default=None, description="Values to set; null takes one away.")
    profiling: bool | None = None


class MergeBody(RequestBody):
    """Which user becomes part of an account."""

    from_user_id: Id


class UserResponse(ResponseBody):
    """A user as it is stored."""

    user_id: str
    properties: dict[str, Any]
    profiling: bool
    revision: int
    merged_into: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> UserResponse:
        """That of a record."""
        return cls(
            user_id=user.user_id,
            properties=dict(user.properties),
            profiling=user.profiling,
            revision=user.revision,
            merged_into=user.merged_into,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


class UserPageResponse(ResponseBody):
    """A page of users, in the order of their ids."""

    users: list[UserResponse]
    next_cursor: str | None


class MergeResponse(ResponseBody):
    """The account after a merge."""

    user: UserResponse
    num_interactions: int = Field(description="Interactions that moved to it.")


class ExposureResponse(ResponseBody):
    """A list that was shown."""

    recommendation_id: str
    shown_at: datetime
    items: list[str]
    bundle: str
    model_version: str
    variant: str | None
    experiment_id: str | None
    context: dict[str, Any]

    @classmethod
    def of(cls, one: Exposure) -> ExposureResponse:
        """That of a record."""
        return cls(
            recommendation_id=str(one.recommendation_id),
            shown_at=one.shown_at,
            items=list(one.item_ids),
            bundle=one.bundle,
            model_version=one.model_version,
            variant=one.variant,
            experiment_id=one.experiment_id,
            context=dict(one.context),
        )


class ExportResponse(ResponseBody):
    """All that the store knows of a user."""

    user: UserResponse
    merged_users: list[UserResponse]
    interactions: list[InteractionResponse]
    exposures: list[ExposureResponse]


class ErasureResponse(ResponseBody):
    """That a user was forgotten; signed."""

    receipt_id: str
    user_hash: str = Field(description="SHA-256 of a salt, which was not kept, and the user's id.")
    requested_at: str
    completed_at: str
    deleted: dict[str, int] = Field(description="Rows that were deleted, by table.")
    bundles: list[dict[str, str]] = Field(
        description="Bundles that were trained with the user, each with its last day."
    )
    bundle_retention_days: int
    algorithm: str
    public_key: str
    signature: str = Field(description="Of the other fields but public_key and algorithm, as JSON with sorted keys.")


class ErasuresResponse(ResponseBody):
    """Receipts of users who were forgotten, the latest first."""

    erasures: list[ErasureResponse]
