from recsys_serving.store.events.records import Interaction

from tests.serving.store.moments import minutes


def append(store, *pairs, type_="view"):
    store.interactions.append(
        [Interaction(f"{item}{number}{type_}", "ada", item, type_, minutes(number)) for item, number in pairs]
    )


def test_each_item_has_its_latest_moment_the_latest_first(store):
    append(store, ("a", 1), ("b", 2), ("a", 3))
    assert list(store.users.seen("ada").items()) == [("a", minutes(3).timestamp()), ("b", minutes(2).timestamp())]


def test_the_latest_are_kept_and_types_may_be_chosen(store):
    append(store, ("a", 1), ("b", 2), ("c", 3))
    append(store, ("d", 4), type_="buy")
    assert set(store.users.seen("ada", limit=2)) == {"d", "c"}
    assert set(store.users.seen("ada", types=["buy"])) == {"d"}
    assert store.users.seen("nobody") == {}


def test_a_merged_user_has_seen_what_the_account_has(store):
    append(store, ("a", 1))
    store.users.create("visitor")
    store.users.merge("visitor", "ada")
    assert set(store.users.seen("visitor")) == {"a"}


def test_a_history_says_whether_there_may_be_more(store):
    append(store, ("a", 1), ("b", 2), ("c", 3))
    assert store.users.state("ada", 2).is_cut and not store.users.state("ada", 4).is_cut
    assert store.users.state("ada", 2, repeats="all").is_cut and not store.users.state("ada", 4, repeats="all").is_cut
    assert not store.users.state("nobody", 1).is_cut


def test_a_history_of_few_items_that_were_seen_often_may_hide_others(store):
    append(store, ("old", 1), *(("a", number) for number in range(2, 12)))
    state = store.users.state("ada", 2)  # which looks at ten interactions
    assert state.item_ids == ("a",) and state.is_cut
