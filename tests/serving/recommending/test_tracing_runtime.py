from recsys_serving.recommending.tracing_runtime import TracingRuntime
from recsys_serving.resilience.deadline import Deadline

from recsys.runtime.request import RecommendationRequest


def test_the_lists_are_the_usual_ones_and_the_last_trace_is_kept(classic):
    requests = [RecommendationRequest(history=[name], k=3) for name in ("i02", "i03")]
    runtime = TracingRuntime()
    answers, is_degraded = runtime.recommend(classic, requests, Deadline(100))
    assert answers == classic.recommender.recommend(requests) and not is_degraded
    assert runtime.opened is classic and runtime.request == requests[1]
    assert runtime.trace is not None
    assert [one.item_id for one in runtime.trace.candidates if one.rank] == answers[1].item_ids
