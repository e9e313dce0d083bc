from dataclasses import replace

import numpy as np
import pytest

from recsys.data.user_items import UserItems
from recsys.errors import RecsysError
from recsys.recommendation.new_user import NewUser
from recsys.recommendation.request_batches import (
    anonymous_request,
    request_of_new_user,
    request_of_user,
    requests_of_task,
    with_features,
)
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.models.test_contract import fitted


def test_a_known_user_has_what_they_liked_in_their_history_and_has_seen_all_that_they_rated():
    # user 3 has rated every item, and likes the odd ones; timestamps grow with the item
    request = request_of_user(3, prepared_board(), min_rating=4)
    assert request.users.tolist() == [3]
    assert request.history.items.tolist() == list(range(1, NUM_ITEMS, 2))
    assert request.history.rating.tolist() == [5] * (NUM_ITEMS // 2)
    assert request.history.timestamp.tolist() == [86_400 * item for item in range(1, NUM_ITEMS, 2)]
    assert request.seen.items.tolist() == list(range(NUM_ITEMS))


def test_without_a_least_rating_everything_is_in_the_history():
    assert request_of_user(3, prepared_board(), min_rating=None).history.items.tolist() == list(range(NUM_ITEMS))


def test_a_new_user_is_not_in_the_vocabulary():
    user = NewUser.from_ids(["i07", "i02", "i11"], [5, 1, 4], prepared_board(), min_rating=4)
    request = request_of_new_user(user)
    assert request.users.tolist() == [-1]
    assert request.history.items.tolist() == [7, 11]
    assert request.seen.items.tolist() == [7, 2, 11]


def test_features_that_are_told_come_in_place_of_those_of_the_data():
    prepared, model = prepared_board(), fitted("two_tower").model
    request, unknown = with_features(request_of_user(4, prepared, 4), model, prepared, {"age": 60, "city": "Rome"})
    assert unknown == ("city: Rome",)
    assert {name: values.tolist() for name, values in request.features.items()} == {
        "city": [[-1]],
        "age": [60],
        "hobbies": [[0, 1]],
    }
    assert request.users.tolist() == [4] and len(request.history.items) == NUM_ITEMS // 2
    assert with_features(request, model, prepared, {})[0] is request
    with pytest.raises(RecsysError, match="age was given, but for these models no columns of users count"):
        with_features(request, fitted("ease").model, prepared, {"age": 60})


def test_of_nobody_nothing_is_known():
    request = anonymous_request()
    assert request.users.tolist() == [-1]
    assert (
        request.history.counts.tolist() == request.seen.counts.tolist() == request.exclude_items.counts.tolist() == [0]
    )


def test_evaluated_users_have_their_own_histories_and_seen_items():
    task = fitted("ease").task
    requests = requests_of_task(task, np.array([5, 2]))
    for row, user in enumerate((5, 2)):
        own = requests.take(np.array([row]))
        start, end = task.histories.offsets[user], task.histories.offsets[user + 1]
        assert own.history.items.tolist() == task.histories.items[start:end].tolist()
        rows = task.seen.users == user
        assert own.seen.items.tolist() == task.seen.items[rows].tolist()


def test_what_is_known_and_held_out_may_come_back():
    task = fitted("ease").task
    known = task.seen.items[task.seen.users == 2]
    targets = UserItems(known.new_tensor([2]), known[:1], task.seen.num_users, NUM_ITEMS)
    requests = requests_of_task(replace(task, targets=targets), np.array([2, 5]))
    assert requests.take(np.array([0])).seen.items.tolist() == known[1:].tolist()
    assert requests.take(np.array([1])).seen.items.tolist() == task.seen.items[task.seen.users == 5].tolist()
