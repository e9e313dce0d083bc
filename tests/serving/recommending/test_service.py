from datetime import UTC, datetime

import pytest
from recsys_serving.recommending.types import (
    Boost,
    CatalogueItem,
    Diversity,
    HistoryItem,
    Promotion,
    RecommendationQuery,
)
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.items.records import ItemDraft

from recsys.errors import BundleError, RecsysError, RequestError
from tests.models.board_data import NUM_ITEMS

EVEN = (HistoryItem("i02"), HistoryItem("i08"))
WHITE = {"colours": {"any_of": ["white"]}}


def ask(service, **query):
    return service.recommend([RecommendationQuery(**query)])[0]


def ids(answer):
    return [item.item_id for item in answer.items]


def rate(store, user_id, items, value=5.0, start=1_700_000_000):
    moments = [datetime.fromtimestamp(start + 60 * place, UTC) for place in range(len(items))]
    store.interactions.append(
        [
            Interaction(f"{user_id}-{item}-{moment}", user_id, item, "rating", moment, value)
            for item, moment in zip(items, moments, strict=True)
        ]
    )


def test_a_session_has_its_own_list(new_service):
    answer = ask(new_service(), session=EVEN, k=5)
    assert answer.personalized and answer.bundle == answer.model_version == "ease" and answer.degraded == ()
    assert all(int(name[1:]) % 2 == 0 for name in ids(answer)) and not {"i02", "i08"} & set(ids(answer))
    assert [item.rank for item in answer.items] == [1, 2, 3, 4, 5]
    assert [item.propensity for item in answer.items] == [1.0] * 5
    assert answer.items[0].title == f"Square {int(answer.items[0].item_id[1:])}"
    assert answer.variant is None and answer.user_id is None


def test_a_stored_interaction_is_in_the_next_answer(store, new_service):
    service = new_service(store=store)
    first = ask(service, user_id="new", k=5)
    assert not first.personalized
    rate(store, "new", ["i03", "i05"])
    second = ask(service, user_id="new", k=5)
    assert second.personalized and all(int(name[1:]) % 2 == 1 for name in ids(second))
    assert not {"i03", "i05"} & set(ids(second))


def test_the_same_question_comes_from_the_cache_and_is_a_list_of_its_own(store, new_service):
    stages = []
    service = new_service(store=store, on_stage=lambda stage, seconds: stages.append(stage))
    rate(store, "ann", ["i03"])
    first, second = (ask(service, user_id="ann", k=5, explain=True, metadata=["colours"]) for _ in range(2))
    assert stages.count("model") == 1 and stages.count("cache") == 2
    assert first.items == second.items and first.notes == second.notes
    assert first.recommendation_id != second.recommendation_id


def test_a_queries_own_place_is_kept_in_a_batch(new_service):
    service = new_service()
    queries = [RecommendationQuery(session=EVEN, k=k, filters=filters) for k in (3, 7) for filters in (None, WHITE)]
    alone = [ids(service.recommend([query])[0]) for query in queries]
    assert [ids(answer) for answer in service.recommend(queries)] == alone


def test_metadata_and_reasons_come_when_they_are_asked_for(new_service):
    service = new_service()
    answer = ask(service, session=EVEN, k=3, metadata=["colours"], explain=True)
    for item in answer.items:
        assert "black" in item.metadata["colours"]
        told = item.explanation
        parts = [one["value"] for one in told["contributions"]]
        assert sum(parts) + told["older_value"] + told["rest"] == pytest.approx(item.score, abs=1e-4)
        assert item.reasons[0].startswith("Because of Square") and "shares black, even" in item.reasons[0]
    assert answer.explanation_method.startswith("Exact")
    plain = ask(service, session=EVEN, k=3)
    assert all(item.metadata == {} and item.reasons == () and item.explanation is None for item in plain.items)
    popular = ask(service, k=2, explain=True)
    assert popular.items[0].reasons == ("It is popular: here is what many others chose.",)


def test_pages_have_no_item_twice_and_end(new_service):
    service = new_service()
    seen, query = [], RecommendationQuery(session=EVEN, k=8)
    while True:
        answer = service.recommend([query])[0]
        assert [item.rank for item in answer.items] == list(range(len(seen) + 1, len(seen) + len(answer.items) + 1))
        seen += ids(answer)
        if answer.next_cursor is None:
            break
        query = RecommendationQuery(session=EVEN, k=8, cursor=answer.next_cursor)
    assert len(seen) == len(set(seen)) == NUM_ITEMS - 2


def test_a_cursor_outlives_the_server(new_service):
    first = ask(new_service(), session=EVEN, k=4)
    second = ask(new_service(), session=EVEN, k=4, cursor=first.next_cursor)
    assert not set(ids(first)) & set(ids(second))
    with pytest.raises(RequestError, match="belongs to another query"):
        ask(new_service(), session=EVEN[:1], k=4, cursor=first.next_cursor)


def test_boosts_lift_and_lower(new_service):
    service = new_service()
    plain = ask(service, session=EVEN, k=28)
    lifted = ask(service, session=EVEN, k=4, boosts=[Boost(WHITE, 100.0)])
    white = [name for name in ids(plain) if int(name[1:]) % 2 == 1]
    assert ids(lifted) == white[:4]
    lowered = ask(service, session=EVEN, k=28, boosts=[Boost({"colours": {"any_of": ["black"]}}, 0)])
    assert ids(lowered) == white + [name for name in ids(plain) if int(name[1:]) % 2 == 0]


def test_a_promotion_has_its_place_and_respects_filters_and_what_was_seen(new_service):
    service = new_service()
    promotions = [Promotion("i15", 2), Promotion("i02", 1), Promotion("i17", 6)]
    answer = ask(service, session=EVEN, k=4, promotions=promotions, explain=True)
    assert ids(answer)[1] == "i15" and "i02" not in ids(answer)
    assert "i02 is promoted, but may not be shown." in answer.notes
    assert answer.items[1].reasons == ("It has this place because it is promoted.",)
    second = ask(service, session=EVEN, k=4, promotions=promotions, cursor=answer.next_cursor)
    assert ids(second)[1] == "i17" and not set(ids(answer)) & set(ids(second))
    black = ask(service, session=EVEN, k=4, promotions=promotions, filters={"colours": {"any_of": ["black"]}})
    assert "i15" not in ids(black)


def test_diversity_goes_through(new_service):
    service = new_service()
    plain = ask(service, session=EVEN, k=10)
    assert ids(ask(service, session=EVEN, k=10, diversity=Diversity("mmr", 0.9))) != ids(plain)


def test_without_profiling_the_list_is_what_is_popular_and_nobodys(store, new_service):
    rate(store, "ann", ["i03", "i05"])
    service = new_service(store=store)
    own = ask(service, user_id="ann", k=5)
    store.users.update("ann", profiling=False)
    answer = ask(service, user_id="ann", k=5)
    assert own.personalized and not answer.personalized
    assert answer.notes == ("Profiling is off for this user: here is what is popular.",)
    assert ids(answer) == ids(ask(service, k=5))
    service.close()
    shown = {found.user_id for found in exposures(store)}
    assert shown == {"ann", None}


def exposures(store):
    return list(store.exposures.iterate(datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)))


def test_lists_that_are_shown_are_noted(store, new_service):
    service = new_service(store=store)
    answer = ask(service, user_id="ann", k=3, scenario="home", session_id="visit")
    hidden = ask(service, user_id="bob", k=3, log_exposure=False)
    service.close()
    noted = {str(one.recommendation_id): one for one in exposures(store)}
    assert hidden.recommendation_id not in noted
    one = noted[answer.recommendation_id]
    assert (one.user_id, list(one.item_ids), one.bundle, one.propensities) == ("ann", ids(answer), "ease", None)
    assert one.context == {"k": 3, "first_rank": 1, "scenario": "home", "session_id": "visit"}


class TestItems:
    NEW = CatalogueItem("n1", "Brand new", {"colours": "black|even"})

    def test_a_new_item_is_recommended_at_once_and_after_a_restart(self, store, new_service):
        service = new_service(store=store, bundle="two_tower")
        assert service.check_items([self.NEW]) == ()
        assert "n1" not in ids(ask(service, session=EVEN, k=50))
        store.items.put(ItemDraft("n1", "Brand new", {"colours": "black|even"}))
        for other in (service, new_service(store=store, bundle="two_tower")):
            answer = ask(other, session=EVEN, k=50)
            assert {item.item_id: item.title for item in answer.items}["n1"] == "Brand new"
            assert ids(ask(other, session=EVEN, k=50, filters=WHITE)).count("n1") == 0

    def test_an_item_that_is_deleted_or_sold_out_is_gone_and_comes_back(self, store, new_service):
        service = new_service(store=store)
        first = ids(ask(service, session=EVEN, k=5))[0]
        store.items.put(ItemDraft(first, available=False))
        assert first not in ids(ask(service, session=EVEN, k=50)) and first not in ids(ask(service, k=50))
        assert first not in [item.item_id for item in service.similar("i06", k=29).items]
        store.items.update(first, available=True)
        assert ids(ask(service, session=EVEN, k=5))[0] == first
        store.items.delete(first)
        assert first not in ids(ask(service, session=EVEN, k=50)) and service.item(first) is None

    def test_newer_values_count_in_filters_and_in_bundles_to_come(self, store, new_service):
        service = new_service(store=store)
        store.items.put(ItemDraft("i04", "Another title", {"colours": "white"}))
        for _ in range(2):
            answer = ask(service, session=EVEN, k=50, filters=WHITE, metadata=["colours"])
            told = {item.item_id: item for item in answer.items}["i04"]
            assert told.title == "Another title" and told.metadata == {"colours": ["white"]}
            service.activate("two_tower", "tests")

    def test_this_worker_knows_changes_before_the_store_tells_them(self, new_service):
        service = new_service(bundle="two_tower")
        service.add_items([self.NEW])
        assert "n1" in ids(ask(service, session=EVEN, k=50))
        service.update_items([CatalogueItem("n1", properties={"price": 3.5})])
        assert service.item("n1") == {
            "title": "Brand new",
            "available": True,
            "properties": {"colours": ["black", "even"], "price": 3.5},
        }
        service.remove_items(["n1", "unknown"])
        assert "n1" not in ids(ask(service, session=EVEN, k=50)) and service.item("n1") is None

    def test_what_a_model_cannot_place_is_found_promoted_and_told(self, new_service):
        service = new_service()
        assert "does not know items by content" in service.check_items([self.NEW])[0]
        service.add_items([self.NEW])
        assert "n1" not in ids(ask(service, session=EVEN, k=50))
        assert [item.item_id for item in service.search("brand new").items] == ["n1"]
        promoted = ask(service, session=EVEN, k=3, promotions=[Promotion("n1", 1)])
        assert promoted.items[0].title == "Brand new" and promoted.items[0].score is None
        assert "does not know" in service.similar("n1").measure

    def test_a_value_of_another_type_is_refused_before_it_is_stored(self, new_service):
        service = new_service(bundle="two_tower")
        with pytest.raises(RequestError, match="colours"):
            service.check_items([CatalogueItem("n1", properties={"colours": {"a": 1}})])
        with pytest.raises(RequestError, match="title is no property"):
            service.check_items([CatalogueItem("n1", properties={"title": "x"})])


class TestBundles:
    def test_another_bundle_answers_at_once_in_every_worker_and_after_a_restart(self, store, new_service):
        first, other = new_service(store=store), new_service(store=store)
        loaded = first.activate("two_tower", "key-1", "better")
        assert loaded.live and loaded.name == "two_tower" and loaded.num_items == NUM_ITEMS
        for service in (first, other, new_service(store=store)):
            assert ask(service, session=EVEN).bundle == "two_tower"
        assert store.deployments.current().actor == "key-1"
        assert [one.name for one in first.bundles()] == ["two_tower", "ease"]

    def test_going_back_is_known_to_every_worker(self, store, new_service):
        first, other = new_service(store=store), new_service(store=store)
        with pytest.raises(BundleError, match="is the first"):
            first.roll_back("key-1")
        first.activate("two_tower", "key-1")
        assert first.roll_back("key-1").name == "ease"
        assert ask(other, session=EVEN).bundle == "ease"

    def test_a_damaged_bundle_changes_nothing(self, store, new_service, bundles, tmp_path):
        for name in ("ease", "two_tower"):
            (tmp_path / name).symlink_to((bundles / name).resolve())
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "manifest.json").write_text("{}")
        service = new_service(store=store, bundles=tmp_path)
        for name in ("broken", "missing", "../ease", ""):
            with pytest.raises(BundleError):
                service.activate(name, "key-1")
        assert ask(service, session=EVEN).bundle == "ease" and store.deployments.current() is None
        assert service.available_bundles() == ["broken", "ease", "two_tower"]


def test_similar_items_have_titles(new_service):
    answer = new_service().similar("i06", k=3, metadata=["colours"])
    assert len(answer.items) == 3 and answer.items[0].title.startswith("Square")
    assert all("black" in item.metadata["colours"] for item in answer.items)
    with pytest.raises(RequestError, match="There is no item 'none'"):
        new_service().similar("none")


def test_search_goes_page_by_page(new_service):
    service = new_service()
    first, second = service.search("square", limit=20), service.search("square", limit=20, offset=20)
    assert first.total == NUM_ITEMS == len({item.item_id for item in (*first.items, *second.items)})
    assert second.items[0].rank == 21
    assert service.search("i07").items[0].item_id == "i07"


def test_elicitation_asks_about_what_was_not_asked_yet(new_service):
    service = new_service()
    first = service.elicitation(k=4)
    assert len(first.items) == 4
    asked = [item.item_id for item in first.items]
    assert not set(asked) & {item.item_id for item in service.elicitation(k=4, exclude_items=asked).items}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"k": 0}, "k must be a whole number from 1 to 1,000, but it is 0"),
        ({"k": 1001}, "k must be a whole number from 1 to 1,000"),
        ({"user_id": ""}, "user_id must have a character or more"),
        ({"metadata": ["size"]}, "There is no column 'size' of items. There are: title, colours"),
        ({"filters": {"size": {"any_of": ["x"]}}}, "There is no column size"),
        ({"boosts": [Boost({}, 2.0)]}, "A boost needs filters"),
        ({"boosts": [Boost(WHITE, -1.0)]}, "factor of a boost must be a number from 0 to 100"),
        ({"promotions": [Promotion("i01", 0)]}, "position of a promotion must be a whole number from 1"),
        ({"promotions": [Promotion("i01", 1), Promotion("i01", 2)]}, "one item came twice"),
        ({"session": [HistoryItem("i02", 9.0)]}, "Ratings of board are from 1 to 5, but 9 came"),
        ({"session": [HistoryItem("i02", timestamp=5), HistoryItem("i03")]}, "must have a timestamp, or none"),
        ({"cursor": "anything"}, "The cursor is not one of this service"),
        ({"user_features": {"age": 3}}, "age was given"),
    ],
)
def test_a_wrong_query_says_what_is_wrong(new_service, query, message):
    with pytest.raises(RecsysError, match=message):
        ask(new_service(), **query)


def test_columns_that_do_not_exist_are_named(new_service):
    service = new_service()
    for ask_them in (
        lambda: service.similar("i00", metadata=["price"]),
        lambda: service.search("Square", metadata=["price"]),
        lambda: service.elicitation(3, metadata=["price"]),
    ):
        with pytest.raises(RequestError, match="no column 'price' of items"):
            ask_them()
    assert service.elicitation(1, metadata=["colours"]).items[0].metadata["colours"]
    assert service.catalogue().diversity_column == "colours"
