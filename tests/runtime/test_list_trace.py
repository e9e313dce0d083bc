import numpy as np

from recsys.retrieval.pipeline_trace import KEPT, REPEATED, PipelineTrace
from recsys.runtime.list_trace import trace_of
from tests.retrieval.made import candidates

INF = float("inf")


def test_every_candidate_says_what_became_of_it():
    steps = PipelineTrace(
        found=candidates([[0, 1, 2, 3, 4, 0, 5, 6]], [[8, 7, 6, 5, 4, 3, 2, -INF]]),
        removed_by=np.array([[KEPT, 0, 1, 2, 2, REPEATED, KEPT, KEPT]]),
        retrieved=candidates([[0, 5]], [[8, 2]]),
        ranked=candidates([[5, 0]], [[0.9, 0.1]]),
    )
    allowed = np.array([True, True, True, True, False, True, True])
    trace = trace_of(
        steps,
        candidates([[5]], [[0.9]]),
        allowed,
        lambda items: [f"i{item}" for item in items],
        {"rank": 0.1},
        by_model=True,
        ranks=True,
    )
    assert [one.removed_by for one in trace.candidates] == [
        None,
        "seen",
        "excluded",
        "filters",
        "unavailable",
        "repeated",
        None,
        "cut",
    ]
    assert list(trace.num_removed.items()) == [
        ("seen", 1), ("excluded", 1), ("unavailable", 1), ("filters", 1), ("repeated", 1), ("cut", 1)
    ]  # fmt: skip
    first, best, last = trace.candidates[0], trace.candidates[6], trace.candidates[7]
    assert (first.score, first.ranker_score, first.ranker_rank, first.rank) == (8, 0.1, 2, None)
    assert (best.item_id, best.ranker_score, best.ranker_rank, best.rank) == ("i5", 0.9, 1, 1)
    assert last.score is None


def test_without_a_ranker_there_are_no_scores_of_one():
    found = candidates([[1, 0]], [[2, 1]])
    steps = PipelineTrace(found, np.full((1, 2), KEPT), found, found)
    trace = trace_of(
        steps, found, np.ones(2, bool), lambda items: [str(item) for item in items], {}, by_model=False, ranks=False
    )
    assert [(one.ranker_score, one.ranker_rank) for one in trace.candidates] == [(None, 1), (None, 2)]
    assert trace.num_removed == {}
