"""Answers that many routes share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys_serving.api.schemas.base import ResponseBody


class AcceptedResponse(ResponseBody):
    """A change that is safe on this machine, and waits for the store."""

    status: Literal["accepted"] = "accepted"
    durable: Literal["spool"] = "spool"
    id: str | None = Field(default=None, description="Of what the change is about.")


class FaultResponse(ResponseBody):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemResponse(ResponseBody):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FaultResponse] | None = None
