import pytest
from recsys_serving.recommending.assignments import NO_TREATMENT, Treatment
from recsys_serving.recommending.query_plan import cache_key, check_query, is_plain, query_hash, with_treatment
from recsys_serving.recommending.types import Boost, Diversity, HistoryItem, Promotion, RecommendationQuery
from recsys_serving.recommending.user_states import KnownUser

from recsys.errors import RequestError

WHITE = {"colours": {"any_of": ["white"]}}
PLAIN = RecommendationQuery(user_id="ann")
USER = KnownUser("ann", "7")


def key(opened, query=PLAIN, user=USER, treatment=NO_TREATMENT, version="3", options=()):
    return cache_key(opened, query, user, treatment, version, options)


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "bob"},
        {"session": [HistoryItem("i02")]},
        {"filters": WHITE},
        {"exclude_items": ["i02"]},
        {"boosts": [Boost(WHITE, 2.0)]},
        {"promotions": [Promotion("i02", 1)]},
        {"diversity": Diversity("mmr")},
        {"user_features": {"age": 3}},
        {"exclude_seen": False},
    ],
)
def test_what_decides_which_items_come_changes_the_hash(change):
    assert query_hash(RecommendationQuery(**{"user_id": "ann", **change})) != query_hash(PLAIN)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"k": 3, "scenario": "home", "metadata": ["title"]}, True),
        ({"filters": WHITE}, False),
        ({"exclude_seen": False}, False),
        ({"exclude_items": ["i02"]}, False),
        ({"session": []}, False),
        ({"boosts": [Boost(WHITE, 2.0)]}, False),
        ({"cursor": "signed"}, False),
    ],
)
def test_a_plain_query_is_a_user_and_a_length(change, expected):
    assert is_plain(RecommendationQuery(**{"user_id": "ann", **change})) is expected


@pytest.mark.parametrize("change", [{"k": 3}, {"explain": True}, {"metadata": ["title"]}, {"scenario": "home"}])
def test_what_only_shows_them_does_not(change):
    assert query_hash(RecommendationQuery(user_id="ann", **change)) == query_hash(PLAIN)


def test_the_order_of_keys_says_nothing():
    one, other = {"a": {"any_of": ["x"]}, "b": {"gte": 1}}, {"b": {"gte": 1}, "a": {"any_of": ["x"]}}
    assert query_hash(RecommendationQuery(filters=one)) == query_hash(RecommendationQuery(filters=other))


def test_a_list_is_kept_for_one_user_one_state_and_one_catalogue(classic, by_content):
    keys = {
        key(classic),
        key(by_content),
        key(classic, user=KnownUser("bob", "7")),
        key(classic, user=KnownUser("ann", "8")),
        key(classic, user=KnownUser("ann", "7", profiling=False)),
        key(classic, treatment=Treatment("e", "new")),
        key(classic, version="4"),
        key(classic, options=["hash"]),
        key(classic, query=RecommendationQuery(user_id="ann", k=3)),
        key(classic, query=RecommendationQuery(user_id="ann", explain=True)),
        key(classic, query=RecommendationQuery(user_id="ann", metadata=["title"])),
    }
    assert len(keys) == 11 and key(classic) in keys
    assert all("ann" not in one for one in keys) and key(classic).split(":")[1] == classic.fingerprint[:16]


def treated(options, query=PLAIN):
    return with_treatment(query, Treatment("e", "new", list_options=options), max_k=50)


def test_a_variant_sets_options_in_place_of_those_of_the_query():
    options = {"diversity": "mmr", "diversity_weight": 0.7, "exclude_seen": False, "explain": True, "k": 20}
    query = treated(options, RecommendationQuery(k=5, diversity=Diversity("calibrated")))
    assert query == RecommendationQuery(k=20, diversity=Diversity("mmr", 0.7), exclude_seen=False, explain=True)
    assert with_treatment(PLAIN, NO_TREATMENT, 50) is PLAIN and treated({"k": 1000}).k == 50


def test_filters_of_a_variant_and_of_the_query_both_hold():
    assert treated({"filters": WHITE}).filters == WHITE
    new = {"year": {"gte": 2000}}
    assert treated({"filters": WHITE}, RecommendationQuery(filters=new)).filters == {"and": [new, WHITE]}


def test_a_variant_may_change_or_take_away_the_diversity_of_the_query():
    query = RecommendationQuery(diversity=Diversity("mmr", 0.4, "genres"))
    assert treated({"diversity": None}, query).diversity is None
    assert treated({"diversity_weight": 0.9}, query).diversity == Diversity("mmr", 0.9, "genres")
    assert treated({"diversity_weight": 0.9}).diversity is None


def test_a_sensible_query_gives_its_boosts():
    assert len(check_query(RecommendationQuery(boosts=[Boost(WHITE, 2.0)], metadata=["a"]), 10, ["a"])) == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"k": 11}, "from 1 to 10, but it is 11"),
        ({"k": True}, "but it is True"),
        ({"user_id": ""}, "a character or more"),
        ({"metadata": ["size"]}, "There is no column 'size' of items. There are: a, b"),
    ],
)
def test_a_wrong_query_is_refused(query, message):
    with pytest.raises(RequestError, match=message):
        check_query(RecommendationQuery(**query), 10, ["a", "b"])


def test_a_value_that_cannot_be_written_is_refused():
    with pytest.raises(RequestError, match="cannot be read"):
        query_hash(RecommendationQuery(filters={"a": {"any_of": [2**70]}}))
