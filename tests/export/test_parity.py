import numpy as np
import pytest
import torch

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import ExportError
from recsys.export.parity import (
    MANY_USERS,
    NUM_USERS,
    TOLERANCE,
    K,
    Parity,
    check_explainer,
    check_ranker,
    check_scores,
    overlap,
    parity_queries,
    shared_items,
)
from recsys.models.interface.explanation import Explanation
from recsys.retrieval.explanation import BatchExplanation
from tests.models import board_data
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.retrieval.made import requests

NAN = float("nan")


class Table:
    """A model that gives each known user a row of a table."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = torch.tensor(rows)

    def score(self, query):
        return self.rows[query.users]


def compared(expected: list[list[float]], found: list[list[float]]) -> Parity:
    table = np.array(found, dtype=np.float32)
    return check_scores(Table(*expected), lambda asked: table, {"users": requests(num_requests=len(expected))})


def descending(num_items: int = 30) -> list[float]:
    return [float(item) for item in range(num_items, 0, -1)]


def test_scores_may_differ_by_a_constant_for_each_query():
    parity = compared([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], [[11.0, 12.0, 13.0], [3.0, -1.0, -1.0]])
    assert parity == Parity(num_queries=2, max_difference=pytest.approx(0.0, abs=1e-6), top_k_agreement=1.0)


def test_the_difference_is_a_share_of_the_spread():
    # The scores are 3 from their mean; found they are 3.003 and 3 apart from zero, 3.0015 from theirs: .0015 / 3.
    assert compared([[3.0, -3.0]], [[3.003, -3.0]]).max_difference == pytest.approx(0.0005, rel=1e-3)


def test_a_difference_above_the_tolerance_is_refused():
    with pytest.raises(
        ExportError, match=r"For users .* by 0.005 of their spread \(allowed 0.001\), and 100.0% of the lists of 10"
    ):
        compared([[3.0, -3.0]], [[3.03, -3.0]])


def test_scores_that_are_nearly_the_same_differ_by_their_rounding():
    # The spread is .0005, but 1 % of the largest score is 1.
    assert compared([[100.0, 100.001]], [[100.001, 100.0]]).max_difference == pytest.approx(0.001, rel=0.1)


def test_another_shape_is_refused():
    with pytest.raises(ExportError, match=r"scores of shape \[1, 2\], but PyTorch of shape \[1, 3\]"):
        compared([[1.0, 2.0, 3.0]], [[1.0, 2.0]])


def test_no_opinion_of_anyone_agrees():
    assert compared([[NAN, NAN]], [[NAN, NAN]]) == Parity(1, 0.0, 1.0)


def test_a_few_opinions_of_one_side_outside_the_lists_are_let_through():
    # 1 of 30 is less than 5 %.
    assert compared([descending()], [[*descending()[:-1], NAN]]).top_k_agreement == 1.0
    assert compared([[*descending()[:-1], NAN]], [descending()]).max_difference == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("found", "count"), [([*descending()[:-2], NAN, NAN], 2), ([NAN, *descending()[1:]], 1)], ids=["many", "in a list"]
)
def test_other_scored_items_of_one_side_are_refused(found, count):
    with pytest.raises(ExportError, match=rf"score other items \({count} of 30\)"):
        compared([descending()], [found])


def test_all_queries_together_are_as_far_apart_as_the_worst():
    table = {1: [[3.0, -3.0]], 2: [[3.003, -3.0], [3.0, -3.0]]}
    queries = {"one": requests(num_requests=1), "two": requests(num_requests=2)}
    parity = check_scores(
        Table([3.0, -3.0], [3.0, -3.0]), lambda asked: np.array(table[len(asked)], dtype=np.float32), queries
    )
    assert (parity.num_queries, parity.max_difference) == (3, pytest.approx(0.0005, rel=1e-3))


def test_the_manifest_says_what_was_allowed():
    assert Parity(3, 0.5, 1.0).as_dict() == {
        "num_queries": 3,
        "max_difference": 0.5,
        "top_k_agreement": 1.0,
        "k": K,
        "tolerance": TOLERANCE,
    }


def test_a_ranker_is_compared_on_its_candidates_alone():
    model, items = Table([5.0, 1.0, 9.0, 4.0]), np.array([[2, -1, 0]])
    ranked = np.array([[9.0, 123.0, 5.0]])  # what stands at no candidate does not matter
    parity = check_ranker(model, lambda asked, at: ranked, lambda asked: items, {"one": requests(num_requests=1)})
    assert parity == Parity(1, 0.0, 1.0)
    with pytest.raises(ExportError, match="For one the exported model differs from PyTorch"):
        check_ranker(model, lambda asked, at: -ranked, lambda asked: items, {"one": requests(num_requests=1)})


class Sums:
    """Explains every score as what each interaction adds, and a rest of 2."""

    def __init__(self, added: float = 4.0, rest: float = 2.0) -> None:
        self.added, self.rest = added, rest

    def explain(self, query, items):
        shape = (len(query.histories.items), items.shape[1])
        return Explanation(query.histories, torch.full(shape, self.added), torch.full(items.shape, self.rest))


class Exported(Sums):
    """The same, as what was exported gives it."""

    def explain(self, asked, items):
        contributions = np.full((len(asked.history.items), items.shape[1]), self.added, dtype=np.float32)
        return BatchExplanation.exact(asked.history, contributions, np.full(items.shape, self.rest, dtype=np.float32))


def explained(exported: Exported) -> dict[str, object]:
    items = np.array([[3, 4], [5, 6]])
    return check_explainer(Sums(), exported, lambda asked: items, {"both": requests(history=[[1, 2], []])})


def test_explanations_are_compared_by_the_largest_part_of_an_item():
    assert explained(Exported()) == {"num_queries": 2, "max_difference": 0.0, "tolerance": TOLERANCE}
    # .002 of contributions of 4; the rest of the user without a history is as it should be
    assert explained(Exported(added=4.002))["max_difference"] == pytest.approx(0.0005, rel=1e-3)


def test_a_rest_that_differs_where_there_is_nothing_else_counts_in_full():
    # .004 of the 2 of a user without a history, and of the 4 of the other
    with pytest.raises(ExportError, match="contributions by 0.002 of the largest"):
        explained(Exported(rest=2.004))


@pytest.mark.parametrize("wrong", [{"added": NAN}, {"rest": NAN}], ids=str)
def test_an_explainer_of_other_items_is_refused(wrong):
    with pytest.raises(ExportError, match="For both the exported explainer .* split the scores of other items"):
        explained(Exported(**wrong))


def test_shared_items_are_those_of_both_lists_and_never_none():
    first, second = np.array([[3, 1, -1], [2, 0, 1]]), np.array([[1, -1, -1], [0, 2, 5]])
    assert shared_items(first, second).tolist() == [[False, True, False], [True, True, False]]


def test_the_overlap_is_that_of_the_lists_of_ten():
    first = np.arange(12.0)[None]
    assert overlap(first, first) == 1.0
    assert overlap(first, -first) == pytest.approx(0.8)  # 2 to 11, and 0 to 9
    assert overlap(np.full((1, 3), NAN), first[:, :3]) == 0.0


@pytest.fixture(scope="module")
def queries():
    return parity_queries(prepared_board(), 4.0)


def test_queries_are_real_users_and_the_edges(queries):
    sizes = {name: len(asked) for name, asked in queries.items()}
    assert sizes == {
        MANY_USERS: NUM_USERS,  # the 40 users again and again
        "one user": 1,
        "the longest history": 1,
        "a stranger with a history": board_data.NUM_USERS,
        "a stranger": 1,
        "a known user without history": 1,
    }


def test_histories_have_what_users_like_and_all_counts_as_seen(queries):
    asked = queries["one user"]
    assert asked.users.tolist() == [0]
    assert asked.history.items.tolist() == list(range(0, NUM_ITEMS, 2))
    assert asked.history.rating.tolist() == [5.0] * (NUM_ITEMS // 2)
    assert asked.seen.items.tolist() == list(range(NUM_ITEMS))


def test_strangers_have_no_index_and_the_edges_no_history(queries):
    stranger, nobody, known = (
        queries[name] for name in ("a stranger with a history", "a stranger", "a known user without history")
    )
    assert set(stranger.users) == {-1} and stranger.history.counts.min() == NUM_ITEMS // 2
    assert nobody.users.tolist() == [-1] and len(nobody.history.items) == 0
    assert known.users.tolist() == [0] and len(known.history.items) == 0


def test_columns_of_users_go_with_them_and_with_strangers_too():
    city = EncodedColumn("city", FeatureKind.CATEGORICAL, None, ("Bonn", "Kiel", "Ulm"))
    asked = parity_queries(prepared_board(), 4.0, [city])
    # the first two users are of Ulm, the next two of Bonn
    assert asked["a stranger with features"].features["city"][:4].flatten().tolist() == [2, 2, 0, 0]
    assert set(asked["a stranger with features"].users) == {-1}
    assert asked["one user"].features["city"].tolist() == [[2]]
    assert asked["a stranger"].features["city"].tolist() == [[-1]]


def test_the_choice_of_users_is_that_of_the_seed(monkeypatch):
    monkeypatch.setattr("recsys.export.parity.NUM_USERS", 5)
    first, again, other = (parity_queries(prepared_board(), 4.0, seed=seed)[MANY_USERS].users for seed in (0, 0, 1))
    assert len(set(first)) == 5
    assert first.tolist() == again.tolist() != other.tolist()
