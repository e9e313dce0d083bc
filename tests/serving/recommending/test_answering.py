"""What an answer is like when something is away or slow."""

from datetime import UTC, datetime

import pytest
from recsys_serving.cache.redis_cache import RedisCache
from recsys_serving.recommending.types import HistoryItem, RecommendationQuery
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.spool.commands import interaction_command, user_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.events.records import Interaction

from recsys.errors import RecsysError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.experiment_json import experiment_to_dict
from tests.serving.recommending.fakes import Faulty
from tests.serving.recommending.test_service import EVEN, ask, exposures, ids, rate


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    yield spool
    spool.close()


def test_without_the_store_the_last_known_history_counts(store, new_service):
    faulty, health = Faulty(store), HealthRegistry()
    rate(store, "ann", ["i03", "i05"])
    service = new_service(store=faulty, health=health)
    before = ask(service, user_id="ann", k=5)
    faulty.fail()
    for _ in range(5):
        answer = ask(service, user_id="ann", k=5)
        assert ids(answer) == ids(before) and answer.degraded == ("store",) and answer.personalized
    assert health.of("store").state == "down"
    stranger = ask(service, user_id="u03", k=5, exclude_seen=False)
    assert stranger.personalized and stranger.degraded == ("store",)  # the bundle knows u03
    assert len(ask(service, user_id="nobody", k=5).items) == 5
    assert len(service.search("square").items) == 20 and service.similar("i06").degraded == ("store",)


def test_without_the_store_the_bundles_history_counts_also_where_the_store_has_all(store, new_service):
    faulty = Faulty(store)
    service = new_service(store=faulty, merge_bundle_histories=False)
    faulty.fail()
    stranger = ask(service, user_id="u03", k=5, exclude_seen=False)  # of whom this worker remembers nothing
    assert stranger.personalized and stranger.degraded == ("store",)


def test_what_waits_in_the_spool_is_in_the_next_answer(store, spool, new_service):
    faulty = Faulty(store)
    service = new_service(store=faulty, spool=spool)
    faulty.fail()
    assert not ask(service, user_id="ann", k=5).personalized
    event = Interaction("e1", "ann", "i03", "rating", datetime.now(UTC), 5.0)
    spool.append([interaction_command(event)])
    answer = ask(service, user_id="ann", k=5)
    assert answer.personalized and all(int(name[1:]) % 2 == 1 for name in ids(answer)) and "i03" not in ids(answer)
    spool.append([user_command("ann", profiling=False)])
    assert not ask(service, user_id="ann", k=5).personalized


def test_lists_go_to_the_spool_while_the_store_is_away(store, spool, new_service):
    faulty = Faulty(store)
    service = new_service(store=faulty, spool=spool)
    faulty.fail()
    ask(service, user_id="ann", k=5)
    service.close()
    assert len(spool) == 1 and exposures(store) == []


def test_a_store_that_hangs_is_given_up(store, new_service):
    faulty = Faulty(store)
    service = new_service(store=faulty, store_timeout_seconds=0.05, breaker_seconds=100)
    faulty.hang()
    try:
        assert [ask(service, user_id="u03", k=5).degraded for _ in range(4)] == [("store",)] * 4
    finally:
        faulty.recover()


def test_a_store_that_comes_back_is_used_again(store, new_service):
    faulty = Faulty(store)
    service = new_service(store=faulty, breaker_seconds=0.001)
    faulty.fail()
    ask(service, user_id="new")
    rate(store, "new", ["i03"])
    faulty.recover()
    for _ in range(1000):
        answer = ask(service, user_id="new")
        if answer.degraded == ():
            break
    assert answer.degraded == () and answer.personalized


def test_a_service_starts_without_its_store(store, new_service):
    faulty = Faulty(store)
    faulty.fail()
    service = new_service(store=faulty, breaker_seconds=0.001)
    assert ask(service, session=EVEN).degraded == ("store",)
    faulty.recover()
    store.deployments.activate("two_tower", "0" * 64, "tests")
    for _ in range(1000):
        answer = ask(service, session=EVEN)
        if answer.bundle == "two_tower":
            break
    assert answer.bundle == "two_tower"


def test_without_the_cache_lists_are_made(new_service, tmp_path):
    service = new_service(cache=RedisCache(f"unix://{tmp_path}/none.sock"))
    answers = [ask(service, session=EVEN, k=5) for _ in range(4)]
    assert len({tuple(ids(answer)) for answer in answers}) == 1
    assert {answer.degraded for answer in answers} == {("cache",)}


def test_redis_keeps_lists_as_memory_does(new_service, redis_url):
    stages = []
    cache = RedisCache(redis_url, timeout_seconds=10)
    service = new_service(cache=cache, on_stage=lambda stage, seconds: stages.append(stage))
    answers = [ask(service, session=(HistoryItem("i04"), HistoryItem("i09")), k=5, explain=True) for _ in range(2)]
    assert answers[0].items == answers[1].items and stages.count("model") == 1


class TestExperiments:
    NEW = Variant("new", 0.5, "two_tower")

    def start(self, store, name="e1", **values):
        variants = values.pop("variants", [Variant("control", 0.5), self.NEW])
        made = Experiment(name, "salt", variants, **values)
        store.experiments.create(name, "first", experiment_to_dict(made), "tests")
        store.experiments.change(name, "start", "tests", status="running")

    def until_open(self, service, **query):
        for _ in range(2000):
            answer = ask(service, **query)
            if "experiments" not in answer.degraded:
                return answer
        raise AssertionError("the bundle of the variant does not open")

    def test_a_user_has_the_bundle_of_the_variant_and_the_list_says_so(self, store, new_service):
        service = new_service(store=store)
        self.start(store, overrides={"ann": "new", "bob": "control"})
        first = ask(service, user_id="ann")
        assert first.variant in ("new", None)
        assert first.degraded == (() if first.variant else ("experiments",))
        answer = self.until_open(service, user_id="ann", session=EVEN)
        assert (answer.bundle, answer.variant, answer.experiment_id) == ("two_tower", "new", "e1")
        assert ask(service, user_id="bob", session=EVEN).bundle == "ease"
        service.close()
        noted = {one.user_id: one for one in exposures(store)}
        assert (noted["bob"].variant, noted["bob"].experiment_id) == ("control", "e1")

    def test_a_variant_explores_and_its_propensities_are_noted(self, store, new_service):
        service = new_service(store=store)
        options = {"exploration": {"slots": [1], "epsilon": 1.0}}
        self.start(
            store, variants=[Variant("control", 0.5), Variant("new", 0.5, None, options)], overrides={"ann": "new"}
        )
        plain = ask(service, user_id="bob", session=EVEN, k=28)
        shown = {ids(ask(service, user_id="ann", session=EVEN, k=3))[1] for _ in range(40)}
        assert len(shown) > 5 and shown <= set(ids(plain)[3:])
        answer = ask(service, user_id="ann", session=EVEN, k=3)
        assert [item.propensity for item in answer.items] == pytest.approx([1.0, 1 / 25, 1.0])
        second = ask(service, user_id="ann", session=EVEN, k=3, cursor=answer.next_cursor)
        assert not set(ids(answer)) & set(ids(second))
        service.close()
        noted = {str(one.recommendation_id): one for one in exposures(store)}
        assert noted[answer.recommendation_id].propensities == pytest.approx((1.0, 1 / 25, 1.0))
        context = noted[answer.recommendation_id].context
        assert (context["ranked"], context["epsilon"]) == ({"1": ids(plain)[1]}, 1.0)
        assert context["is_plain"] is False

    def test_a_variant_that_cannot_be_served_is_nobodys_error(self, store, new_service, caplog):
        service = new_service(store=store)
        variants = [Variant("control", 0.5), Variant("new", 0.5, None, {"filters": {"size": {"gte": 3}}})]
        self.start(store, variants=variants, overrides={"ann": "new", "bob": "control"})
        queries = [RecommendationQuery(user_id=name, session=EVEN, k=5) for name in ("ann", "bob", "ann")]
        ann, bob, again = service.recommend(queries)
        assert ids(ann) == ids(bob) == ids(again) and bob.degraded == () and bob.variant == "control"
        assert ann.degraded == ("experiments",) and (ann.variant, ann.experiment_id) == (None, None)
        assert "Variants of e1 cannot be served: There is no column size" in caplog.text
        with pytest.raises(RecsysError, match="There is no column weight"):
            ask(service, user_id="ann", filters={"weight": {"gte": 3}})

    def test_a_variant_that_cannot_be_served_does_not_spoil_those_of_other_experiments(self, store, new_service):
        service = new_service(store=store)
        wrong = [Variant("control", 0.5), Variant("new", 0.5, None, {"filters": {"size": {"gte": 3}}})]
        short = [Variant("control", 0.5), Variant("short", 0.5, None, {"k": 3})]
        self.start(store, variants=wrong, buckets=((0, 1),), overrides={"ann": "new"})
        self.start(store, "e2", variants=short, buckets=((1, 2),), overrides={"bob": "short"})
        ann, bob = service.recommend([RecommendationQuery(user_id=name, session=EVEN, k=5) for name in ("ann", "bob")])
        assert ann.degraded == ("experiments",) and len(ann.items) == 5
        assert (bob.degraded, bob.variant, len(bob.items)) == ((), "short", 3)


def test_attributes_that_do_not_fit_the_model_are_no_error(store, new_service):
    service = new_service(store=store, bundle="two_tower")
    store.users.create("ann", {"age": "a text", "shoe_size": 44})
    answer = ask(service, user_id="ann", session=EVEN)
    assert answer.personalized and "does not fit the model" in answer.notes[0]
    store.users.update("ann", {"age": 60})
    older = ask(service, user_id="ann", session=EVEN, k=28)
    stranger = ask(service, session=EVEN, k=28)
    assert [item.score for item in older.items] != [item.score for item in stranger.items]
    assert "does not fit" not in " ".join(older.notes)


def test_a_list_that_cannot_be_noted_says_so(store, new_service):
    faulty = Faulty(store)
    service = new_service(store=faulty, exposure_queue_size=1, exposure_flush_seconds=100)
    answers = service.recommend([RecommendationQuery(session=EVEN)] * 2)
    assert [answer.degraded for answer in answers] == [(), ("exposures",)]
    assert service.exposure_counts().dropped == 1


def test_no_answers_without_questions(new_service):
    assert new_service().recommend([]) == []
