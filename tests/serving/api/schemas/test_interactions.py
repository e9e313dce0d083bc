from datetime import UTC, datetime, timedelta
from uuid import UUID

from recsys_serving.api.schemas.interactions import InteractionBody, InteractionResponse


def test_what_is_missing_is_made():
    made = InteractionBody(user_id="anna", item_id="a").to_interaction()
    assert (made.type, len(made.event_id)) == ("view", 32)
    assert datetime.now(UTC) - made.occurred_at < timedelta(minutes=1)


def test_what_is_given_stays():
    body = InteractionBody.model_validate(
        {
            "event_id": "e",
            "user_id": "anna",
            "item_id": "a",
            "type": "rating",
            "value": 5,
            "occurred_at": "2024-05-01T12:00:00Z",
            "recommendation_id": "3f2b8c1e-8a4d-4e57-9d0a-6a1c2b3d4e5f",
            "position": 2,
        }
    )
    made = body.to_interaction()
    assert made.recommendation_id == UUID("3f2b8c1e-8a4d-4e57-9d0a-6a1c2b3d4e5f")
    told = InteractionResponse.of(made)
    assert (told.value, told.position, told.occurred_at) == (5.0, 2, datetime(2024, 5, 1, 12, tzinfo=UTC))
