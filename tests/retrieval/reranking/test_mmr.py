import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.reranking import mmr
from recsys.retrieval.reranking.mmr import MMR
from recsys.retrieval.reranking.reranker import normalised_scores
from recsys.retrieval.top_k import top_k
from tests.retrieval.made import candidates, requests, worlds

INF = float("inf")
SHARES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])


def reference(items, scores, vectors, diversity_weight, k):
    """The definition in Python, for one user: positions."""

    def cosine(first, second):
        lengths = np.linalg.norm(vectors[first]) * np.linalg.norm(vectors[second])
        return vectors[first] @ vectors[second] / lengths if lengths > 0 else 0.0

    chosen, left = [], [place for place, item in enumerate(items) if item >= 0]
    while left and len(chosen) < k:
        gains = [
            (1 - diversity_weight) * scores[place]
            - diversity_weight * max((cosine(items[place], items[other]) for other in chosen), default=0.0)
            for place in left
        ]
        chosen.append(left.pop(next(p for p, gain in enumerate(gains) if gain >= max(gains) - 1e-6)))
    return chosen + [-1] * (k - len(chosen))


def diversity(items, vectors):
    """One minus the mean cosine of the pairs of a list."""
    directions = vectors[items] / np.linalg.norm(vectors[items], axis=1, keepdims=True)
    cosines = directions @ directions.T
    return 1 - cosines[np.triu_indices(len(items), 1)].mean()


def test_the_second_item_is_unlike_the_first():
    # items 0 and 1 are alike, item 2 is not; scores scaled: 1, .8, 0
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    made = candidates([[0, 1, 2]], [[10, 9, 5]])
    # item 1: .5 * .8 - .5 * 1 = -.1; item 2: .5 * 0 - .5 * 0 = 0
    assert MMR(vectors, 0.5).rerank(requests(num_requests=1), made, 3).tolist() == [[0, 2, 1]]
    # item 1: .8 * .8 - .2 * 1 = .44; item 2: 0
    assert MMR(vectors, 0.2).rerank(requests(num_requests=1), made, 3).tolist() == [[0, 1, 2]]


def test_an_item_without_content_is_like_no_other():
    vectors = np.array([[1.0], [1.0], [0.0]])
    assert MMR(vectors, 1.0).rerank(requests(num_requests=1), candidates([[0, 1, 2]], [[3, 2, 1]]), 2).tolist() == [
        [0, 2]
    ]


def test_a_list_ends_where_there_are_no_candidates():
    made = candidates([[0, 1, -1], [2, -1, -1], [-1, -1, -1]], [[3, 2, -INF], [1, -INF, -INF], [-INF] * 3])
    chosen = MMR(np.eye(3), 0.5).rerank(requests(num_requests=3), made, 4)
    assert chosen.tolist() == [[0, 1, -1, -1], [0, -1, -1, -1], [-1] * 4]


@given(worlds(), SHARES)
def test_is_the_greedy_choice_of_its_definition(world, diversity_weight):
    vectors = world["genres"].multi_hot()
    made = top_k(world["scores"], world["num_candidates"])
    chosen = MMR(vectors, diversity_weight).rerank(requests(num_requests=len(made)), made, world["k"])
    scores = normalised_scores(made)
    for row, positions in enumerate(chosen.tolist()):
        assert positions == reference(made.items[row], scores[row], vectors, diversity_weight, world["k"])


@given(worlds())
def test_weight_0_changes_nothing(world):
    made = top_k(world["scores"], world["num_candidates"])
    chosen = MMR(world["genres"].multi_hot(), 0).rerank(requests(num_requests=len(made)), made, world["k"])
    assert made.at(chosen).items.tolist() == made.padded(world["k"]).items.tolist()


@given(worlds(), SHARES)
def test_a_pair_is_never_more_alike_than_the_two_best(world, diversity_weight):
    # Of more than two items a greedy choice promises nothing; for pairs it does.
    vectors = world["genres"].multi_hot()
    made = top_k(world["scores"], world["num_candidates"])
    positions = MMR(vectors, diversity_weight).rerank(requests(num_requests=len(made)), made, 2)
    chosen, best = made.at(positions).items, made.padded(2).items
    for after, before in zip(chosen, best, strict=True):
        if (after >= 0).all() and vectors[after].any(axis=1).all() and vectors[before].any(axis=1).all():
            assert diversity(after, vectors) >= diversity(before, vectors) - 1e-6


def test_lists_become_more_diverse_with_the_weight():
    rng = np.random.default_rng(7)
    vectors, scores = rng.random((80, 6)), rng.normal(size=(50, 80))
    made = top_k(scores, 40)
    means = []
    for diversity_weight in (0, 0.2, 0.5, 0.8):
        items = made.at(MMR(vectors, diversity_weight).rerank(requests(num_requests=50), made, 10)).items
        means.append(np.mean([diversity(row, vectors) for row in items]))
    assert means == sorted(means)
    assert means[-1] > 1.3 * means[0]


def test_blocks_of_requests_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    made = Candidates(np.argsort(rng.random((9, 20))), -np.sort(-rng.random((9, 20))))
    whole = MMR(rng.random((20, 5)), 0.5)
    expected = whole.rerank(requests(num_requests=9), made, 6)
    monkeypatch.setattr(mmr, "MAX_NUMBERS", 250)
    assert whole.rerank(requests(num_requests=9), made, 6).tolist() == expected.tolist()
