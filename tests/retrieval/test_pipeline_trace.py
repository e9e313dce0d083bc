import numpy as np
from hypothesis import given

from recsys.retrieval.filtering.filters import BlocklistFilter, ItemMaskFilter, SeenFilter
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.pipeline_trace import KEPT, REPEATED, RecordingRetriever, removed_by
from tests.retrieval.made import TableRanker, TableRetriever, candidates, requests, worlds


def test_the_first_filter_that_takes_a_candidate_away_is_named():
    found = candidates([[3, 1, 3, 0, 2, -1]], [[5, 4, 3, 2, 1, -np.inf]])
    filters = [SeenFilter(), BlocklistFilter(), ItemMaskFilter(np.array([False, False, True, True]))]
    removed = removed_by(filters, requests(seen=[[1]], exclude_items=[[1]]), found)
    # Item 1 is seen, excluded and not in the mask: seen comes first. Item 0 is not in the mask.
    assert removed[0, :5].tolist() == [KEPT, 0, REPEATED, 2, KEPT]


def test_what_was_found_last_is_kept():
    recorder = RecordingRetriever(TableRetriever([[1.0, 2.0, 3.0]]))
    for depth in (1, 2):
        recorder.retrieve(requests(num_requests=1), depth)
    assert recorder.num_items == 3 and recorder.exact
    assert recorder.deepest is not None and recorder.deepest.items.tolist() == [[2, 1]]


@given(worlds())
def test_a_trace_has_the_list_of_a_recommendation_and_accounts_for_every_candidate(world):
    pipeline = Pipeline(
        TableRetriever(world["scores"]),
        [ItemMaskFilter(world["mask"])],
        num_candidates=world["num_candidates"],
        ranker=TableRanker(-world["scores"]),
    )
    asked = requests(seen=world["seen"], exclude_items=world["exclude_items"]).take(np.array([0]))
    lists, trace = pipeline.trace(asked, world["k"])
    assert lists.items.tolist() == pipeline.recommend(asked, world["k"]).items.tolist()
    kept = trace.found.items[trace.removed_by == KEPT]
    retrieved = trace.retrieved.items[trace.retrieved.present]
    assert set(retrieved) <= set(kept[kept >= 0])
    for item, number in zip(trace.found.items[0].tolist(), trace.removed_by[0].tolist(), strict=True):
        if item >= 0 and number == KEPT:
            assert item not in world["seen"][0] and item not in world["exclude_items"][0] and world["mask"][item]
