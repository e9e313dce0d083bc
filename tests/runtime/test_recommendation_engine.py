import dataclasses
import gc
import weakref

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.id_index import IdIndex
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import RecsysError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.explanation import BatchExplanation
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.top_k import top_k
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.manifest import BundleData
from recsys.runtime.personalization.knowledge import ITEMS, Knowledge, Reads
from recsys.runtime.recommendation_engine import RecommendationEngine, Scoring
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, UserTables
from recsys.runtime.user_features import UserFeatures

GENRES = ["war", "war", "love", "love", "war", "love"]
IDS = [f"i{item}" for item in range(6)]
FEATURES = (FeatureColumn("genres", FeatureKind.MULTI_VALUED, "|"),)
#: Item 5 is the most popular one.
POPULARITY = np.array([1, 2, 3, 4, 5, 6])


class Highest:
    """Finds items by their index, the highest first, for requests with a history; writes down what it is asked."""

    num_items = 6

    def __init__(self):
        self.asked = []

    def retrieve(self, requests, num_candidates):
        self.asked.append((len(requests), num_candidates))
        scores = np.where(requests.history.counts[:, None] > 0, np.arange(6.0), np.nan)
        return top_k(scores, num_candidates)


class Lowest:
    """Ranks the lowest index first."""

    def score(self, requests, items):
        return -items.astype(np.float64)


class FirstOfHistory:
    """All of a score comes from the first interaction."""

    def explain(self, requests, items):
        contributions = np.zeros((len(requests.history.items), items.shape[1]))
        contributions[0] = items[0] + 1
        return BatchExplanation.exact(requests.history, contributions, np.zeros(items.shape))


class Engine:
    """An engine with the parts that it was made of."""

    def __init__(self, ranker=None, num_candidates=3, folds_in=True, knowledge=None, filters=None):
        data = BundleData("small", "", 1, 6, None, None, FEATURES, "genres")
        histories = RaggedItems.of([[0, 1]])
        self.resolver = RequestResolver(
            UserTables(data, IdIndex.of(["ann"]), IdIndex.of(IDS), histories, UserFeatures([], None))
        )
        self.state = CatalogueState.of(pa.table({"genres": GENRES}), FEATURES, POPULARITY, POPULARITY * 10, filters)
        self.retriever = Highest()
        reads = Reads(ITEMS if folds_in else None, not folds_in)
        knowledge = Knowledge.whole(6, 1, reads) if knowledge is None else knowledge
        scoring = Scoring("run", self.retriever, ranker, FirstOfHistory(), num_candidates, folds_in, knowledge)
        self.engine = RecommendationEngine(scoring, self.resolver, lambda: self.state, "small", 6, "genres")

    def ask(self, **request):
        return self.engine.recommend([RecommendationRequest(**request)])[0]


@pytest.fixture
def made():
    return Engine()


def test_the_best_unseen_items_come_with_their_scores(made):
    found = made.ask(history=["i5", "i2"], k=3)
    assert found.item_ids == ["i4", "i3", "i1"] and found.scores == [4, 3, 1]
    assert found.personalized and found.model_version == "run"
    assert (found.notes, found.explanations, found.explanation_method) == ((), None, None)


def test_a_known_user_has_the_history_of_the_data(made):
    assert made.ask(user_id="ann").item_ids == ["i5", "i4", "i3", "i2"]


def test_who_is_not_known_gets_what_is_popular_and_is_not_scored(made):
    found = made.ask(k=2)
    assert not found.personalized and found.item_ids == ["i5", "i4"] and found.scores == [6, 5]
    assert found.notes == ("Nothing is known of this user: here is what is popular.",)
    assert made.retriever.asked == []


def test_known_and_unknown_users_of_one_batch_are_told_apart(made):
    requests = [RecommendationRequest(k=2), RecommendationRequest(history=["i5"], k=2), RecommendationRequest(k=2)]
    first, second, third = made.engine.recommend(requests)
    assert (first.item_ids, first.personalized) == (["i5", "i4"], False)
    assert (second.item_ids, second.personalized) == (["i4", "i3"], True)
    assert third == first
    assert {asked for asked, _ in made.retriever.asked} == {1}


def test_requests_of_several_kinds_are_answered_in_their_order(made):
    histories = ["i5", "i4", "i5", "i3"]
    found = made.engine.recommend(
        [RecommendationRequest(history=[item], k=1 + place % 2) for place, item in enumerate(histories)]
    )
    assert [one.item_ids for one in found] == [["i4"], ["i5", "i3"], ["i4"], ["i5", "i4"]]


def test_no_requests_are_no_answers(made):
    assert made.engine.recommend([]) == []


def test_filters_and_excluded_items_rule_out(made):
    found = made.ask(history=["i0"], filters={"genres": {"any_of": ["love"]}}, exclude_items=["i5", "x"], k=3)
    assert found.item_ids == ["i3", "i2"] and found.unknown_items == ("x",)
    assert found.notes[-1] == "The filters leave 2 unseen items."


def test_filters_hold_for_what_is_popular_as_well(made):
    assert made.ask(filters={"genres": {"any_of": ["war"]}}, k=2).item_ids == ["i4", "i1"]


def test_a_value_that_no_item_has_leaves_the_others_and_is_named(made):
    nothing = made.ask(history=["i0"], filters={"genres": {"any_of": ["fun"]}})
    assert nothing.item_ids == [] and nothing.unknown_filter_values == ("genres: fun",)
    assert nothing.notes[0] == "No item has what the filters name: genres: fun."
    others = made.ask(history=["i0"], filters={"genres": {"any_of": ["fun", "love"]}}, k=3)
    assert others.item_ids == made.ask(history=["i0"], filters={"genres": {"any_of": ["love"]}}, k=3).item_ids
    assert others.unknown_filter_values == ("genres: fun",)
    without = made.ask(history=["i0"], filters={"genres": {"none_of": ["fun"]}})
    assert without.item_ids == made.ask(history=["i0"]).item_ids and without.notes[0].endswith("genres: fun.")


def test_a_filter_of_an_unknown_column_is_refused(made):
    with pytest.raises(RecsysError, match="There is no column genre of items"):
        made.ask(history=["i0"], filters={"genre": {"any_of": ["love"]}})


def test_a_list_is_no_longer_than_the_catalogue(made):
    assert made.ask(history=["i0"], k=100).item_ids == ["i5", "i4", "i3", "i2", "i1"]
    assert max(width for _, width in made.retriever.asked) == 6


def test_a_ranker_orders_the_candidates_of_the_retriever():
    # of 3 candidates, 5, 4 and 3, the lowest come first
    found = Engine(ranker=Lowest(), num_candidates=3).ask(history=["i0"], k=2)
    assert found.item_ids == ["i3", "i4"] and found.scores == [-3, -4]


def test_diversity_chooses_among_the_candidates_by_the_content_column(made):
    diverse = {"history": ["i4"], "k": 2, "diversity": "mmr", "diversity_weight": 1.0}
    # 5, 3 and 2 are the best unseen items, all about love; 1, the next one, is about war
    assert made.ask(**diverse).item_ids == ["i5", "i3"]
    assert Engine(num_candidates=4).ask(**diverse).item_ids == ["i5", "i1"]


def test_items_that_are_gone_do_not_come_back(made):
    before = made.ask(history=["i0"], k=2)
    made.state = dataclasses.replace(made.state, present=np.array([True, True, True, True, True, False]))
    assert before.item_ids == ["i5", "i4"]
    assert made.ask(history=["i0"], k=2).item_ids == ["i4", "i3"]
    assert made.ask(k=1).item_ids == ["i4"]


def test_the_filters_of_the_catalogue_hold_for_every_list_beside_those_of_a_request():
    made = Engine(filters={"genres": {"none_of": ["love"]}})
    assert made.ask(history=["i0"]).item_ids == ["i4", "i1"]
    assert made.ask().item_ids == ["i4", "i1", "i0"]
    assert made.ask(history=["i0"], filters={"genres": {"any_of": ["love"]}}).item_ids == []
    with pytest.raises(RecsysError, match="There is no column colours"):
        Engine(filters={"colours": {"none_of": ["red"]}})


def test_a_list_for_everybody_is_nobody_s_own():
    made = Engine(knowledge=Knowledge.whole(6, 1, Reads(None, False)))
    found = made.ask(history=["i0"], k=2)
    assert (found.item_ids, found.scores, found.personalized) == (["i5", "i4"], [5, 4], False)
    assert found.notes == ("The model has one list for everyone: here is what is popular.",)


def test_what_was_not_learnt_tells_nothing():
    knowledge = Knowledge(Reads(ITEMS, False), np.array([False, True, True, True, True, True]), np.ones(1, dtype=bool))
    made = Engine(knowledge=knowledge)
    cold, known = made.ask(history=["i0"], k=2), made.ask(history=["i0", "i1"], k=2)
    assert (cold.personalized, known.personalized) == (False, True)
    assert cold.notes == ("What is known of this user tells the model nothing: here is what is popular.",)
    assert cold.scores == [6, 5]


def test_an_earlier_catalogue_is_let_go(made):
    made.ask(history=["i0"], explain=True)
    earlier = weakref.ref(made.state)
    made.state = dataclasses.replace(made.state)
    made.ask(history=["i0"], explain=True)
    gc.collect()
    assert earlier() is None


def test_explanations_are_those_of_each_request_alone(made):
    requests = [RecommendationRequest(history=[item, "i0"], k=1, explain=True) for item in ("i5", "i3")]
    first, second = made.engine.recommend(requests)
    (explanation,) = first.explanations
    assert [(one.item_id, one.value) for one in explanation.contributions] == [("i5", 5)]  # of item 4
    (explanation,) = second.explanations
    assert [(one.item_id, one.value) for one in explanation.contributions] == [("i3", 6)]  # of item 5
    assert [shared.text for shared in explanation.contributions[0].shared] == ["love"]
    assert second.explanation_method.startswith("Exact")


def test_what_is_popular_is_not_explained(made):
    found = made.ask(explain=True)
    assert found.explanations is None and found.explanation_method is None


def test_notes_know_whether_the_model_folds_in():
    made = Engine(folds_in=False)
    made.retriever.retrieve = lambda requests, num_candidates: Candidates.empty(len(requests), num_candidates)
    found = made.ask(history=["i0"])
    assert found.notes == ("The model scores only users that it was trained with: here is what is popular.",)
    assert not found.personalized


class TestBatchKey:
    KEY = staticmethod(RecommendationEngine.batch_key)

    def test_users_and_histories_make_no_difference(self):
        first = RecommendationRequest(user_id="ann", k=3)
        second = RecommendationRequest(history=["i0"], exclude_items=["i1"], explain=True, k=3)
        assert self.KEY(first) == self.KEY(second) and hash(self.KEY(first)) == hash(self.KEY(second))

    @pytest.mark.parametrize(
        "other",
        [
            {"k": 4},
            {"filters": {"genres": {"any_of": ["war"]}}},
            {"diversity": "mmr"},
        ],
        ids=str,
    )
    def test_what_shapes_a_list_does(self, other):
        assert self.KEY(RecommendationRequest(**{"k": 3, **other})) != self.KEY(RecommendationRequest(k=3))

    @pytest.mark.parametrize("other", [{"diversity_weight": 0.9}, {"diversity_column": "year"}], ids=str)
    def test_options_of_diversity_count_where_there_is_any(self, other):
        plain, diverse = RecommendationRequest(), RecommendationRequest(diversity="mmr")
        assert self.KEY(RecommendationRequest(**other)) == self.KEY(plain)
        assert self.KEY(RecommendationRequest(diversity="mmr", **other)) != self.KEY(diverse)


def test_a_trace_is_of_the_same_list_and_says_what_became_of_candidates():
    made = Engine(ranker=Lowest(), num_candidates=2)
    request = RecommendationRequest(history=["i5"], filters={"genres": {"any_of": ["love"]}}, k=1, explain=True)
    answer, trace = made.engine.trace(request)
    assert answer == made.engine.recommend([request])[0]
    removed = {one.item_id: one.removed_by for one in trace.candidates}
    assert removed["i5"] == "seen" and removed["i4"] == "filters" and removed["i3"] is None
    (chosen,) = [one for one in trace.candidates if one.rank == 1]
    assert [chosen.item_id] == answer.item_ids and chosen.ranker_rank == 1
    assert trace.by_model and trace.ranks and {"retrieve", "filter", "rank", "explain"} <= set(trace.seconds)


def test_the_trace_of_somebody_unknown_is_that_of_what_is_popular(made):
    answer, trace = made.engine.trace(RecommendationRequest(k=2))
    assert answer == made.ask(k=2) and not trace.by_model
    assert [one.item_id for one in trace.candidates if one.rank] == answer.item_ids
