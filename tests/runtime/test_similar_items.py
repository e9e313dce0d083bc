from types import SimpleNamespace

import numpy as np
import pytest

from recsys.data.id_index import IdIndex
from recsys.errors import RequestError
from recsys.retrieval.ragged_items import RaggedItems
from recsys.runtime.manifest import BundleData
from recsys.runtime.neighbours import NeighbourTable
from recsys.runtime.personalization.knowledge import Knowledge, Reads
from recsys.runtime.request_resolution import RequestResolver, UserTables
from recsys.runtime.similar_items import COSINE, SimilarItemFinder, check_similar_request
from recsys.runtime.user_features import UserFeatures

#: Item a is like c and b; b is like a; c has no neighbours.
TABLE = NeighbourTable(np.array([0, 2, 3, 3]), np.array([2, 1, 0]), np.array([0.75, 0.5, 0.25]))
VECTORS = np.array([[1, 0], [1, 1], [0, 1]], dtype=np.float32)


def finder(measures, available=(True, True, True), added=(), known=(True, True, True)):
    """A finder with the same table for each kind of similarity that has a measure.

    Args:
        measures: by kind.
        available: which items are there.
        added: vectors of the items d, e, ..., which came after training.
        known: which items the model has learnt about.
    """
    data = BundleData("small", "", 0, 3, None, None, (), None)
    resolver = RequestResolver(
        UserTables(data, IdIndex.of([]), IdIndex.of(["a", "b", "c"]), RaggedItems.empty(0), UserFeatures([], None))
    )
    resolver.add_items(["d", "e"][: len(added)])
    bundle = SimpleNamespace(
        manifest=SimpleNamespace(data=data, neighbours=measures),
        neighbours=lambda by: TABLE if by in measures else None,
        item_vectors=lambda: VECTORS,
        knowledge=(Knowledge(Reads(None, True), np.array(known), np.ones(0, dtype=bool)),),
    )
    catalogue = SimpleNamespace(
        state=SimpleNamespace(available=np.array([*available, *[True] * len(added)])),
        added_vectors=np.array(added, dtype=np.float32).reshape(-1, 2),
    )
    return SimilarItemFinder(bundle, resolver, catalogue)


WEIGHTS = {"model": "weight in the score"}


def test_neighbours_come_from_the_table_in_the_order_of_the_question():
    second, first = finder(WEIGHTS).find(["b", "a"], k=5)
    assert (first.item_id, first.item_ids, first.similarities) == ("a", ["c", "b"], [0.75, 0.5])
    assert (second.item_id, second.item_ids, second.similarities) == ("b", ["a"], [0.25])
    assert first.measure == second.measure == "weight in the score"


def test_no_more_than_are_asked_for():
    assert finder(WEIGHTS).find(["a"], k=1)[0].item_ids == ["c"]


def test_an_item_may_have_none():
    (found,) = finder(WEIGHTS).find(["c"], k=5)
    assert found.item_ids == [] and found.measure == "weight in the score"


def test_items_that_are_gone_make_room_for_the_next():
    assert finder(WEIGHTS, available=[True, True, False]).find(["a"], k=1)[0].item_ids == ["b"]


def test_of_what_nothing_measures_it_is_said_why():
    made = finder({})
    by_model, by_content = (made.find(["a"], k=5, by=by)[0] for by in ("model", "content"))
    assert by_model.item_ids == by_content.item_ids == []
    assert by_model.measure == "the model does not say how alike two items are"
    assert by_content.measure == "no item has features with words"


def test_new_items_are_compared_by_their_vectors():
    # d is (2, 1): its cosine with a (1, 0) is 2 / sqrt(5), with b (1, 1) 3 / sqrt(10), with c (0, 1) 1 / sqrt(5)
    made = finder({"model": COSINE}, added=[(2, 1)])
    (found,) = made.find(["d"], k=5)
    assert found.item_ids == ["b", "a", "c"] and found.measure == COSINE
    assert found.similarities == pytest.approx([3 / 10**0.5, 2 / 5**0.5, 1 / 5**0.5])
    assert made.find(["a"], k=2)[0].item_ids == ["d", "b"]  # 0.894 and 0.707


def test_items_without_a_positive_cosine_are_not_alike():
    made = finder({"model": COSINE}, added=[(-1, 0), (0, 0)])
    assert made.find(["d"], k=5)[0].item_ids == []
    assert made.find(["e"], k=5)[0].item_ids == []


def test_equal_cosines_are_in_the_order_of_the_items_and_those_gone_are_left_out():
    made = finder({"model": COSINE}, available=[True, False, True], added=[(3, 3), (0, 7)])
    # with b (1, 1) d (3, 3) has the cosine 1, and a (1, 0), c (0, 1) and e (0, 7) have 0.707
    assert made.find(["b"], k=5)[0].item_ids == ["d", "a", "c", "e"]
    assert made.find(["d"], k=5)[0].item_ids == ["a", "c", "e"]  # b is gone


def test_another_measure_has_nothing_of_new_items():
    made = finder({"model": "weight in the score", "content": "words"}, added=[(2, 1)])
    (found,) = made.find(["d"], k=5)
    assert found.item_ids == [] and found.measure == "an item that was added since has no weight in the score"
    assert made.find(["a"], k=5)[0].item_ids == ["c", "b"]
    assert made.find(["d"], k=5, by="content")[0].measure == "an item that was added since has no words"


def test_an_unknown_item_is_refused():
    with pytest.raises(RequestError, match="There is no item 'x' in small. Ids are compared as text"):
        finder(WEIGHTS).find(["a", "x"], k=5)


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "3"])
def test_the_number_of_items_is_positive_and_whole(k):
    with pytest.raises(RequestError, match="k must be a whole number of at least 1, but it is"):
        check_similar_request(k, "model")


@pytest.mark.parametrize("by", ["taste", None, 3])
def test_the_kind_of_similarity_exists(by):
    with pytest.raises(RequestError, match="by must be model or content, but it is"):
        check_similar_request(3, by)


def test_a_wrong_question_is_refused_before_anything_is_looked_up():
    with pytest.raises(RequestError, match="k must be"):
        finder(WEIGHTS).find(["nowhere"], k=0)


def test_an_item_that_the_model_has_learnt_nothing_of_is_like_none_by_the_model():
    made = finder({"model": "weight in the score", "content": "cosine of tags"}, known=[False, True, True])
    by_model, by_content = (made.find(["a"], k=5, by=by)[0] for by in ("model", "content"))
    assert by_model.item_ids == [] and by_model.measure == "no interactions of it in training"
    assert by_content.item_ids == ["c", "b"]
    new = finder({"model": COSINE}, added=[(2, 1)], known=[True, False, True]).find(["d"], k=5)[0]
    assert new.item_ids == ["a", "c"]
