import numpy as np
from recsys_serving.triton.answer_tensors import (
    recommendation_of,
    similar_items_of,
    similar_tensors_of,
    tensors_of,
)

from recsys.runtime.recommendation import (
    Contribution,
    ItemExplanation,
    Recommendation,
    SharedAttribute,
    SimilarItems,
)

EXPLAINED = Recommendation(
    item_ids=["a", "é"],
    scores=[0.5, -0.25],
    personalized=True,
    model_version="3",
    notes=("One.", "Two."),
    unknown_items=("x",),
    unknown_values=("city: Rome",),
    unknown_filter_values=("brand: acme",),
    explanations=(
        ItemExplanation((Contribution("h", 0.1, (SharedAttribute("Drama", 1.5),)), Contribution("g", 1e-9)), 3, 0.2),
        ItemExplanation((), popularity=7),
    ),
    explanation_method="Exact.",
)
POPULAR = Recommendation(item_ids=["b"], scores=[12.0], personalized=False, model_version="3")


def test_lists_come_back_as_they_were():
    tensors = tensors_of([EXPLAINED, POPULAR])
    assert tensors["item_ids"].tolist() == [[b"a", "é".encode()], [b"b", b""]]
    assert tensors["scores"].dtype == np.float32 and tensors["scores"][1, 1] == 0
    assert [recommendation_of(tensors, row, "3") for row in (0, 1)] == [EXPLAINED, POPULAR]


def test_an_empty_list_is_one():
    empty = Recommendation(item_ids=[], scores=[], personalized=True, model_version="1", notes=("Nothing.",))
    tensors = tensors_of([empty])
    assert tensors["item_ids"].shape == tensors["scores"].shape == (1, 0)
    assert recommendation_of(tensors, 0, "1") == empty


def test_similar_items_come_back_as_they_were():
    found = [SimilarItems("a", ["b", "é"], [0.5, 0.1], "cosine"), SimilarItems("c", [], [], "nothing")]
    tensors = similar_tensors_of([found, []])
    assert similar_items_of(tensors, 0) == found and similar_items_of(tensors, 1) == []
