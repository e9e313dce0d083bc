"""Erasures: users who are forgotten, and the receipts of that."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from recsys_serving.api.parts import Caller, Parts
from recsys_serving.api.routing import Limit, PathId, api_router, operation, reply
from recsys_serving.api.schemas.shared import AcceptedResponse
from recsys_serving.api.schemas.users import ErasureResponse, ErasuresResponse
from recsys_serving.store.errors import NotFound

router = api_router("erasures")


@router.delete(
    "/v1/users/{user_id}",
    response_model=ErasureResponse,
    **operation(
        "admin",
        summary="Forget a user",
        others={
            200: {
                "description": "It is done, and this is the receipt.",
                "links": {
                    "get_erasure": {
                        "operationId": "get_erasure",
                        "parameters": {"receipt_id": "$response.body#/receipt_id"},
                    }
                },
            },
            202: {
                "model": AcceptedResponse,
                "description": "The store is away; it is done as soon as it is back; id is that of the receipt.",
            },
        },
    ),
)
def erase_user(user_id: PathId, parts: Parts, caller: Caller) -> Response:
    """Delete all of a user; the receipt says which bundles were trained with the user, and until when they are used."""
    outcome = parts.eraser.erase(user_id, caller.key_id)
    if outcome.receipt is None:
        return reply(AcceptedResponse(id=outcome.receipt_id), 202)
    return reply(ErasureResponse.model_validate(outcome.receipt))


@router.get(
    "/v1/erasures",
    response_model=ErasuresResponse,
    **operation("admin", summary="Read the latest receipts of erasures"),
)
def list_erasures(parts: Parts, limit: Limit = 20) -> Response:
    """Who was forgotten is in none of them."""
    receipts = [ErasureResponse.model_validate(one) for one in parts.eraser.receipts(limit)]
    return reply(ErasuresResponse(erasures=receipts))


@router.get(
    "/v1/erasures/{receipt_id}",
    response_model=ErasureResponse,
    **operation("read", 404, summary="Read the receipt of an erasure"),
)
def get_erasure(receipt_id: UUID, parts: Parts) -> Response:
    """The receipt, as it was signed."""
    receipt = parts.eraser.receipt(receipt_id)
    if receipt is None:
        raise NotFound(f"There is no receipt {receipt_id}.")
    return reply(ErasureResponse.model_validate(receipt))
