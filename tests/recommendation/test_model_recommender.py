from recsys.recommendation.list_options import ListOptions
from recsys.recommendation.model_recommender import own_list, popular_list
from recsys.recommendation.new_user import NewUser
from recsys.recommendation.request_batches import anonymous_request, request_of_new_user, request_of_user
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board
from tests.recommendation.test_list_options import NearestNumber


def answer(ids, wishes, k=3):
    request = request_of_new_user(NewUser.from_ids(ids, None, prepared_board(), None))
    return own_list(NearestNumber(), request, wishes, k, prepared_board())


def test_a_new_user_gets_a_list_of_their_own():
    found = answer(["i09", "i10"], ListOptions())
    assert found.personalized
    assert found.items.tolist() == [11, 8, 12]
    assert found.notes == ()


def test_a_history_that_tells_nothing_gives_what_is_popular():
    found = answer(["nowhere"], ListOptions(between={"item_index": [4, None]}))
    assert not found.personalized
    assert found.items.tolist() == [4, 5, 6]
    assert found.notes == ("What is known of this user tells the model nothing: here is what is popular.",)


def test_rules_that_leave_nothing_say_so():
    found = answer(["i09"], ListOptions(between={"item_index": [9, 9]}))
    assert found.items.tolist() == []
    assert found.notes == (
        "The model finds nothing among what the rules allow: here is what is popular.",
        "The rules leave 0 unseen items.",
    )


def test_rules_that_leave_less_than_was_asked_for_say_so():
    found = answer(["i09"], ListOptions(between={"item_index": [8, 10]}))
    assert found.personalized
    assert found.items.tolist() == [8, 10]
    assert found.notes == ("The rules leave 2 unseen items.",)
    # without rules it is the catalogue that ends
    assert answer(["i09"], ListOptions(), k=NUM_ITEMS).notes == ()


def test_a_known_user_who_has_seen_everything_gets_an_empty_list():
    request = request_of_user(3, prepared_board(), min_rating=4)
    found = own_list(NearestNumber(), request, ListOptions(), 3, prepared_board())
    assert found.personalized
    assert found.items.tolist() == []


def test_popular_items_are_counted():
    # every square is liked by half of the users: ties go to the lower index
    wishes = ListOptions(without={"colours": "black"})
    found = popular_list(anonymous_request(), wishes, 2, prepared_board(), "Nothing is known.")
    assert found.items.tolist() == [1, 3]
    assert found.scores.tolist() == [NUM_USERS // 2] * 2
    assert found.notes == ("Nothing is known.",)
