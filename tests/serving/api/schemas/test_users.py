from datetime import UTC, datetime

from recsys_serving.api.schemas.users import UserResponse
from recsys_serving.store.users.records import User


def test_a_user_is_told_as_it_is_stored():
    now = datetime(2024, 5, 1, tzinfo=UTC)
    user = User("anna", {"age": 31}, True, 7, None, now, now)
    told = UserResponse.of(user)
    assert (told.user_id, told.properties, told.revision, told.created_at) == ("anna", {"age": 31}, 7, now)
