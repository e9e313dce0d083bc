import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval.top_k import top_k

NAN, INF = float("nan"), float("inf")


def reference(row, k):
    """By a sort of pairs in Python."""
    known = [(-score, item) for item, score in enumerate(row) if score == score and score > -INF]
    best = sorted(known)[:k]
    return [item for _, item in best] + [-1] * (k - len(best))


@given(
    st.integers(0, 12).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from([NAN, -INF, -1.0, -0.0, 0.0, 0.5, 2.0]), min_size=width, max_size=width),
            min_size=1,
            max_size=4,
        )
    ),
    st.integers(1, 15),
)
def test_is_the_sort_by_score_and_then_by_index(scores, k):
    found = top_k(np.array(scores, dtype=np.float64).reshape(len(scores), -1), k)
    assert found.items.tolist() == [reference(row, k) for row in scores]
    assert found.items.shape == found.scores.shape == (len(scores), k)


def test_ties_at_the_end_of_the_list_go_to_the_lower_index():
    # 2.0 stands first; of the three 1.0 the first two fit
    found = top_k(np.array([[1.0, 2.0, 1.0, 1.0]]), 3)
    assert found.items.tolist() == [[1, 0, 2]]
    assert found.scores.tolist() == [[2, 1, 1]]


def test_the_scores_are_not_changed():
    scores = np.array([[NAN, 2.0, 1.0]])
    top_k(scores, 2)
    assert np.isnan(scores[0, 0])
