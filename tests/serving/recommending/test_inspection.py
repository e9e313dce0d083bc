import pytest
from recsys_serving.recommending.assignments import Treatment
from recsys_serving.recommending.types import Diversity, HistoryItem, RecommendationQuery

from recsys.errors import BundleError
from tests.serving.recommending.conftest import BY_CONTENT, CLASSIC

SESSION = [HistoryItem("i02"), HistoryItem("i04")]


def ids(answer):
    return [item.item_id for item in answer.items]


def test_a_trace_accounts_for_every_candidate_of_the_usual_list(new_service):
    service = new_service()
    query = RecommendationQuery(
        session=SESSION,
        k=4,
        exclude_items=("i06",),
        filters={"colours": {"any_of": ["black"]}},
        diversity=Diversity("mmr"),
    )
    answer, trace = service.inspect(query, None, True)
    assert ids(answer) == ids(service.recommend([query])[0])
    assert [one.item_id for one in sorted(trace.candidates, key=lambda one: one.rank or 99)][:4] == ids(answer)
    removed = {one.item_id: one.removed_by for one in trace.candidates}
    assert (removed["i02"], removed["i06"], removed["i01"]) == ("seen", "excluded", "filters")
    assert trace.num_found == trace.num_ranked + sum(trace.num_removed.values()) and trace.num_left_out == 0
    assert (trace.retriever, trace.ranker) == ("EASE", None)
    assert trace.diversity == {"kind": "mmr", "weight": 0.3, "column": "colours"}
    names = [one.stage for one in trace.stages]
    assert names.index("model") < names.index("retrieve") < names.index("assembly") and "cache" not in names
    assert {one.stage for one in trace.stages if one.within == "model"} == {"retrieve", "filter", "diversify"}


def test_of_somebody_unknown_what_is_popular_was_found(new_service):
    answer, trace = new_service().inspect(RecommendationQuery(k=2), None, True)
    assert trace.retriever == "popularity" and [one.rank for one in trace.candidates[:2]] == [1, 2]
    assert not answer.personalized


def test_a_preview_is_the_list_of_another_bundle_or_of_its_options_and_changes_nothing(new_service):
    service = new_service()
    query = RecommendationQuery(session=SESSION, k=4)
    other, none = service.inspect(query, Treatment(bundle=BY_CONTENT), False)
    assert none is None and other.bundle == BY_CONTENT
    assert service.recommend([query])[0].bundle == CLASSIC
    assert {one.name for one in service.bundles()} == {CLASSIC, BY_CONTENT}
    variant = Treatment("one", "short", None, {"k": 2})
    short, trace = service.inspect(query, variant, True)
    assert (short.variant, short.experiment_id, len(short.items)) == ("short", "one", 2)
    assert sum(one.rank is not None for one in trace.candidates) == 2


def test_a_bundle_that_cannot_be_opened_is_an_error(new_service):
    with pytest.raises(BundleError):
        new_service().inspect(RecommendationQuery(), Treatment(bundle="none"), False)
