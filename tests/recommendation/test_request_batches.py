import numpy as np

from recsys.recommendation.request_batches import request_of_user, requests_of_task
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


def test_evaluated_users_have_their_own_histories_and_seen_items():
    task = fitted("ease").task
    requests = requests_of_task(task, np.array([5, 2]))
    for row, user in enumerate((5, 2)):
        own = requests.take(np.array([row]))
        start, end = task.histories.offsets[user], task.histories.offsets[user + 1]
        assert own.history.items.tolist() == task.histories.items[start:end].tolist()
        rows = task.seen.users == user
        assert own.seen.items.tolist() == task.seen.items[rows].tolist()
