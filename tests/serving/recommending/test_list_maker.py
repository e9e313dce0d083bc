import time

import pytest
from recsys_serving.recommending import list_maker
from recsys_serving.recommending.assignments import NO_TREATMENT
from recsys_serving.recommending.boosts import parse_boosts
from recsys_serving.recommending.history import StoredHistory
from recsys_serving.recommending.list_maker import ListMaker
from recsys_serving.recommending.query_plan import QueryPlan
from recsys_serving.recommending.runtime import Runtime
from recsys_serving.recommending.types import Boost, Promotion, RecommendationQuery
from recsys_serving.recommending.user_states import KnownUser
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.health import HealthRegistry

from tests.models.board_data import NUM_ITEMS

ANN = KnownUser("ann", "1", history=StoredHistory(("i03", "i05"), (5.0, 5.0), (1e9, 1e9 + 1)))
WHITE = {"colours": {"any_of": ["white"]}}


@pytest.fixture(scope="module")
def maker():
    return ListMaker(Runtime(HealthRegistry()), merges=True)


def make(maker, opened, user=ANN, shown=(), num_spare=0, **query):
    asked = RecommendationQuery(user_id=user.user_id, **query)
    plan = QueryPlan(asked, user, NO_TREATMENT, opened, parse_boosts(asked.boosts), shown, "hash", "key")
    lists, is_degraded = maker.make([plan], [num_spare], Deadline(100))
    assert not is_degraded
    return lists[0]


def ids(made):
    return [item.item_id for item in made.items]


def test_spare_items_come_behind_the_page(maker, classic):
    page = make(maker, classic, k=3)
    spare = make(maker, classic, k=3, num_spare=4)
    assert len(page.items) == 3 and len(spare.items) == 7 and ids(spare)[:3] == ids(page)


def test_items_of_earlier_pages_do_not_come_again(maker, classic):
    first = ids(make(maker, classic, k=3))
    assert not set(first) & set(ids(make(maker, classic, k=30, shown=first)))


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.5, 4.0])
def test_a_boosted_page_is_the_beginning_of_the_boosted_list(maker, classic, factor):
    boosts = [Boost(WHITE, factor)]
    whole = ids(make(maker, classic, k=NUM_ITEMS, boosts=boosts))
    plain = ids(make(maker, classic, k=NUM_ITEMS))
    ranks = {
        name: place / (factor if int(name[1:]) % 2 else 1) if factor or not int(name[1:]) % 2 else float("inf")
        for place, name in enumerate(plain, start=1)
    }
    assert whole == sorted(plain, key=ranks.__getitem__)
    for k in (1, 4, 9):
        assert ids(make(maker, classic, k=k, boosts=boosts)) == whole[:k]


def test_with_reasons_fewer_candidates_are_looked_at(maker, classic, monkeypatch):
    monkeypatch.setattr(list_maker, "MAX_EXPLAINED", 6)
    ranks = {name: place for place, name in enumerate(ids(make(maker, classic, k=NUM_ITEMS)))}
    for explain, reach in ((True, 6), (False, NUM_ITEMS)):
        made = make(maker, classic, k=2, boosts=[Boost({"colours": {"any_of": ["black"]}}, 100.0)], explain=explain)
        black = [name for name in ranks if int(name[1:]) % 2 == 0 and ranks[name] < reach]
        assert ids(made) == (black + [name for name in ranks if name not in black])[:2]


def test_scores_stay_those_of_the_model(maker, classic):
    plain = {item.item_id: item.score for item in make(maker, classic, k=NUM_ITEMS).items}
    for item in make(maker, classic, k=5, boosts=[Boost(WHITE, 0.1)]).items:
        assert item.score == pytest.approx(plain[item.item_id], rel=1e-5)


def test_promotions_and_boosts_go_together(maker, classic):
    made = make(maker, classic, k=4, boosts=[Boost(WHITE, 0.0)], promotions=[Promotion("i07", 1)])
    assert ids(made)[0] == "i07" and made.promoted == ("i07",)
    assert all(int(name[1:]) % 2 == 0 for name in ids(made)[1:])


def test_who_is_being_erased_is_a_stranger(maker, classic):
    erased = KnownUser("u03", "1", is_erased=True)
    assert not make(maker, classic, user=erased).personalized
    assert make(maker, classic, user=KnownUser("u03", "1"), exclude_seen=False).personalized


def test_without_profiling_nothing_of_the_user_counts(maker, classic):
    made = make(maker, classic, user=KnownUser("u03", "1", profiling=False, properties={"age": 3}), k=NUM_ITEMS)
    assert not made.personalized and len(made.items) == NUM_ITEMS
    assert made.notes == ("Profiling is off for this user: here is what is popular.",)


def test_who_was_erased_and_came_back_is_known_by_what_is_stored_alone(maker, classic):
    stored = StoredHistory(("i03",), (5.0,), (1e9,))
    erased = make(maker, classic, user=KnownUser("u03", "1", history=stored, is_erased=True), k=NUM_ITEMS)
    stranger = make(maker, classic, user=KnownUser("new", "1", history=stored), k=NUM_ITEMS)
    assert [(item.item_id, item.score) for item in erased.items] == [
        (item.item_id, item.score) for item in stranger.items
    ]
    known = make(maker, classic, user=KnownUser("u03", "1", history=stored), k=NUM_ITEMS)
    assert len(known.items) < len(erased.items) == NUM_ITEMS - 1  # what the bundle has of u03 is seen


def test_items_too_old_for_the_history_are_seen_unless_seen_items_come_back(maker, classic):
    now = time.time()
    older = {"i11": now - 9 * 86_400, "i12": now - 86_400, "gone": now}
    user = KnownUser("ann", "1", history=ANN.history, older=older)
    assert not {"i11", "i12"} & set(ids(make(maker, classic, user=user, k=NUM_ITEMS)))
    assert {"i11", "i12"} <= set(ids(make(maker, classic, user=user, k=NUM_ITEMS, exclude_seen=False)))
    back = ids(make(maker, classic, user=user, k=NUM_ITEMS, exclude_seen={"after_days": 5}))
    assert "i11" in back and "i12" not in back
    assert make(maker, classic, user=user, k=3).unknown_items == ()
