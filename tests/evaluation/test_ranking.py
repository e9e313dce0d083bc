from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from recsys.cli.progress import ProgressDisplay
from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.errors import EvaluationError
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.retrieval.seen_policy import SeenPolicy
from tests.distributed.parts import evaluated
from tests.evaluation import numpy_reference
from tests.evaluation.score_table import ScoreTable, SharedRow

SIZES = ("batch_size", "max_scores", "max_users")


def make_task(train, test, num_users, num_items, stage="test", known_items=ONLY_NEW):
    """A task from lists of (user, item) pairs."""
    pairs = np.array([*train, *test], dtype=np.int32).reshape(-1, 2)
    interactions = Interactions(pairs[:, 0].copy(), pairs[:, 1].copy(), None, None, None, num_users, num_items)
    rows = np.arange(len(pairs))
    nothing = np.empty(0, dtype=np.int64)
    split = Split(train=rows[: len(train)], valid=nothing, test=rows[len(train) :])
    return RankingTask.from_split(interactions, split, stage, known_items=known_items)


def random_case(seed, num_users=30, num_items=25, num_values=8):
    """A random task, a table of scores with many ties and gaps, and content with gaps."""
    random = np.random.default_rng(seed)
    train = [(u, i) for u in range(num_users) for i in random.permutation(num_items)[: random.integers(0, 8)]]
    test = [(u, i) for u in range(num_users) for i in random.permutation(num_items)[: random.integers(0, 5)]]
    test = sorted({*test, (0, 0)} - set(train))
    scores = random.integers(0, num_values, size=(num_users, num_items)).astype(np.float32)
    scores[random.random(scores.shape) < 0.1] = np.nan
    vectors = random.integers(0, 2, size=(num_items, 3)).astype(np.float32)
    return (
        make_task(train, test, num_users, num_items),
        torch.from_numpy(scores),
        torch.from_numpy(vectors),
        train,
        test,
    )


def flat(task, scores, vectors=None, **settings):
    return RankingEvaluator(ks=(2, 5), segment_k=5, **settings).evaluate(ScoreTable(scores), task, vectors).flat()


def test_a_hand_computed_evaluation():
    # Users 0 and 1 are evaluated; 2 has no held-out item. Everyone is offered 4, 3, 2, 1, 0 without known items.
    task = make_task(
        train=[(0, 4), (1, 0), (1, 1), (2, 4), (2, 1)], test=[(0, 2), (1, 4), (1, 2)], num_users=3, num_items=5
    )
    evaluator = RankingEvaluator(ks=(2,), segment_k=2, bootstrap_samples=0)
    result = evaluator.evaluate(SharedRow([0.0, 1.0, 2.0, 3.0, 4.0]), task)
    # user 0: 3, 2 (hit at rank 2 of one relevant); user 1: 4, 3 (hit at rank 1 of two)
    assert result.users.tolist() == [0, 1]
    half = 1 / math.log2(3)
    expected = {
        "precision@2": [0.5, 0.5],
        "recall@2": [1.0, 0.5],
        "capped_recall@2": [1.0, 0.5],
        "hit_rate@2": [1.0, 1.0],
        "map@2": [0.5, 0.5],
        "ndcg@2": [half, 1 / (1 + half)],
        "mrr@2": [0.5, 1.0],
    }
    assert result.per_user.keys() == expected.keys()
    for name, values in expected.items():
        assert result.per_user[name].tolist() == pytest.approx(values), name
    # exposure is 2 x item 3, 1 x item 2, 1 x item 4: ascending 0 0 1 1 2 gives (0 + 2 + 2 * 4) / (5 * 4) = 0.5
    # training users of items 2, 3, 4: none (as one), none (as one), 2, of 3: log2 3, log2 3 and log2 1.5 bits
    bits = math.log2(3)
    # items 2 and 3 are cold; among them alone item 3 is first and item 2, held out for both users, second
    cold = {"cold_catalogue/recall@2": 1.0, "cold_catalogue/ndcg@2": half, "cold_catalogue/hit_rate@2": 1.0}
    assert result.catalogue == pytest.approx(
        {"coverage@2": 3 / 5, "gini@2": 0.5, "novelty@2": (bits + (math.log2(1.5) + bits) / 2) / 2, **cold}
    )
    assert result.intervals == {}
    # training: user 0 has 1 (low), user 1 has 2 (mid: two thirds of two users are both of them)
    # items by training: 1 and 4 have 2 each (head: 2 of 5 is not half yet), 0 has 1 (mid: 4/5 reached before it: tail)
    found = {(segment.group, segment.name): (segment.num_users, segment.means) for segment in result.segments}
    assert found["user_activity", "low"] == (1, pytest.approx({"recall@2": 1.0, "ndcg@2": half, "hit_rate@2": 1.0}))
    assert found["user_activity", "mid"][0] == 1
    assert found["user_activity", "high"][0] == 0
    assert found["item_popularity", "head"] == (1, {"recall@2": 1.0})  # item 4 for user 1, found
    assert found["item_popularity", "mid"][0] == 0
    assert found["item_popularity", "tail"] == (2, {"recall@2": 0.5})  # item 2 for both, found for user 0
    assert found["item_warmth", "cold"] == (2, {"recall@2": 0.5})
    assert found["item_warmth", "warm"] == (1, {"recall@2": 1.0})  # item 4 for user 1
    assert ("user_warmth", "cold") not in found  # both users are in training


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_agrees_with_a_user_by_user_reference(seed):
    task, scores, vectors, train, test = random_case(seed)
    evaluator = RankingEvaluator(ks=(3, 10), segment_k=10, bootstrap_samples=0, batch_size=7)
    result = evaluator.evaluate(ScoreTable(scores), task, vectors)

    relevant = {user: {i for u, i in test if u == user} for user, _ in test}
    assert result.users.tolist() == sorted(relevant)
    lists = []
    for user in sorted(relevant):
        row = scores[user].clone()
        row[[i for u, i in train if u == user]] = -math.inf
        lists.append(numpy_reference.rank(row.tolist(), 10))
    for k in (3, 10):
        for name, metric in numpy_reference.METRICS.items():
            expected = [metric(ranked, relevant[user], k) for user, ranked in zip(sorted(relevant), lists, strict=True)]
            assert result.per_user[f"{name}@{k}"].tolist() == pytest.approx(expected), name
        counts = np.bincount([i for ranked in lists for i in ranked[:k]], minlength=25)
        diversity = [numpy_reference.diversity(ranked[:k], vectors.numpy()) for ranked in lists]
        assert result.catalogue[f"coverage@{k}"] == pytest.approx((counts > 0).mean())
        assert result.catalogue[f"gini@{k}"] == pytest.approx(numpy_reference.gini(counts))
        assert result.catalogue[f"diversity@{k}"] == pytest.approx(np.nanmean(diversity), abs=1e-5)


def test_numbers_do_not_depend_on_the_batch_size():
    task, scores, vectors, _, _ = random_case(seed=5, num_users=60)
    one, seven, all_at_once = (flat(task, scores, vectors, batch_size=size) for size in (1, 7, 1000))
    assert one == seven == all_at_once
    assert len(one) > 60


def test_numbers_do_not_depend_on_the_memory_bound():
    task, scores, vectors, _, _ = random_case(seed=6)
    bounded = flat(task, scores, vectors, max_scores=1)
    assert bounded == flat(task, scores, vectors)


@pytest.mark.parametrize(("max_scores", "largest"), [(100, 4), (25, 1), (3, 1), (10**6, 8)])
def test_batches_shrink_to_the_memory_bound(max_scores, largest):
    task, scores, _, _, _ = random_case(seed=7)
    sizes = []

    class Spy(ScoreTable):
        def score(self, query):
            sizes.append(len(query))
            return super().score(query)

    RankingEvaluator(batch_size=8, max_scores=max_scores, bootstrap_samples=0).evaluate(Spy(scores), task)
    assert max(sizes) == largest
    assert sum(sizes) == len(task.users)


def test_the_order_of_users_does_not_matter():
    """Exchanging two users, with all that is theirs, exchanges their values."""
    first = make_task([(0, 0), (1, 1), (1, 2)], [(0, 1), (1, 3)], 2, 4)
    second = make_task([(1, 0), (0, 1), (0, 2)], [(1, 1), (0, 3)], 2, 4)
    scores = torch.tensor([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]])
    evaluator = RankingEvaluator(ks=(2,), bootstrap_samples=0)
    forward = evaluator.evaluate(ScoreTable(scores), first).per_user
    backward = evaluator.evaluate(ScoreTable(scores.flip(0)), second).per_user
    for name, values in forward.items():
        np.testing.assert_array_equal(values, backward[name][::-1])


def test_a_cut_off_beyond_the_catalogue_ends_lists_early():
    task = make_task(train=[(0, 2)], test=[(0, 1)], num_users=1, num_items=3)
    result = RankingEvaluator(ks=(50,), bootstrap_samples=0).evaluate(SharedRow([1.0, 2.0, 3.0]), task)
    assert result.means()["precision@50"] == pytest.approx(1 / 50)
    assert result.means()["recall@50"] == 1.0
    assert result.catalogue["coverage@50"] == pytest.approx(2 / 3)


def test_a_model_that_scores_nothing_finds_nothing():
    task = make_task(train=[], test=[(0, 1)], num_users=1, num_items=3)
    numbers = RankingEvaluator(ks=(2,)).evaluate(SharedRow([math.nan] * 3), task).flat()
    assert numbers["test/ndcg@2"] == numbers["test/coverage@2"] == 0.0
    assert "test/gini@2" not in numbers
    assert "test/novelty@2" not in numbers


@pytest.mark.parametrize(("num_users", "num_items"), [(2, 3), (0, 0), (2, 0)])
def test_no_user_with_held_out_items_is_an_error(num_users, num_items):
    task = make_task(train=[], test=[], num_users=num_users, num_items=num_items, stage="valid")
    with pytest.raises(EvaluationError, match="at least one user with held-out items; the 'valid' part of this split"):
        RankingEvaluator().evaluate(SharedRow([0.0] * num_items), task)


def test_content_of_another_catalogue_is_an_error():
    task = make_task(train=[], test=[(0, 1)], num_users=1, num_items=3)
    with pytest.raises(EvaluationError, match="one row for each of the 3 items; there are 2"):
        RankingEvaluator().evaluate(SharedRow([0.0] * 3), task, torch.ones(2, 4))


@pytest.mark.parametrize("settings", [{"ks": ()}, {"ks": (0, 5)}, {"segment_k": 0}])
def test_cut_offs_out_of_range_are_an_error(settings):
    with pytest.raises(EvaluationError, match="at least one cut-off, and none below 1"):
        RankingEvaluator(**settings)


@pytest.mark.parametrize(("name", "value"), [*zip(SIZES, [0] * 3, strict=True), ("bootstrap_samples", -1)])
def test_sizes_out_of_range_are_an_error(name, value):
    with pytest.raises(EvaluationError, match="batch_size, max_scores and max_users must be at least 1"):
        RankingEvaluator(**{name: value})


def test_cut_offs_are_sorted_and_counted_once():
    assert RankingEvaluator(ks=[20, 5, 20]).ks == (5, 20)


def test_segments_may_have_a_cut_off_of_their_own():
    task, scores, _, _, _ = random_case(seed=8)
    result = RankingEvaluator(ks=(2,), segment_k=4, bootstrap_samples=0).evaluate(ScoreTable(scores), task)
    assert {name for segment in result.segments for name in segment.means} == {"recall@4", "ndcg@4", "hit_rate@4"}
    assert "recall@4" not in result.per_user


def test_intervals_hold_the_means_and_are_the_same_for_the_same_seed():
    task, scores, _, _, _ = random_case(seed=9)
    evaluator = RankingEvaluator(ks=(5,), bootstrap_samples=300, seed=1)
    result = evaluator.evaluate(ScoreTable(scores), task)
    assert result.intervals == evaluator.evaluate(ScoreTable(scores), task).intervals
    means = result.means()
    assert result.intervals.keys() == means.keys()
    for name, (low, high) in result.intervals.items():
        assert low < means[name] < high, name


class DroppingTable(torch.nn.Module):
    """Drops half of the scores in training."""

    def __init__(self, scores):
        super().__init__()
        self.scores = scores
        self.dropout = torch.nn.Dropout(0.5)
        self.frozen = torch.nn.Dropout(0.5).eval()

    def score(self, query):
        return self.frozen(self.dropout(self.scores[query.users]))


def test_a_network_is_evaluated_without_dropout_and_put_back_as_it_was():
    task, scores, _, _, _ = random_case(seed=10)
    network = DroppingTable(scores)
    evaluator = RankingEvaluator(ks=(5,), bootstrap_samples=0)
    assert evaluator.evaluate(network, task).flat() == evaluator.evaluate(ScoreTable(scores), task).flat()
    assert (network.training, network.dropout.training, network.frozen.training) == (True, True, False)


def test_a_progress_bar_can_be_shown(monkeypatch):
    task, scores, _, _, _ = random_case(seed=11)
    terminal = io.StringIO()
    display = ProgressDisplay(Console(file=terminal, force_terminal=True), enabled=True)
    monkeypatch.setattr("recsys.evaluation.ranking.progress", display)
    RankingEvaluator(ks=(5,), bootstrap_samples=0).evaluate(ScoreTable(scores), task)
    assert terminal.getvalue() == ""
    RankingEvaluator(ks=(5,), bootstrap_samples=0, progress=True).evaluate(ScoreTable(scores), task)
    assert "ranking users" in terminal.getvalue()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_numbers():
    task, scores, vectors, train, test = random_case(seed=12)
    pairs = np.array([*train, *test], dtype=np.int32)
    interactions = Interactions(pairs[:, 0].copy(), pairs[:, 1].copy(), None, None, None, 30, 25)
    rows = np.arange(len(pairs))
    split = Split(rows[: len(train)], rows[:0], rows[len(train) :])
    on_gpu = RankingTask.from_split(interactions, split, "test", "cuda")
    assert flat(on_gpu, scores.cuda(), vectors.cuda()) == pytest.approx(flat(task, scores, vectors), abs=1e-6)


# --- warm and cold -----------------------------------------------------------------------------------------------


def segments_of(result):
    return {(segment.group, segment.name): segment for segment in result.segments}


def test_new_users_are_measured_apart():
    # user 1 has no training interaction; both have item 2 held out, which is first for user 0 and third for user 1
    task = make_task(train=[(0, 0), (2, 1), (2, 2)], test=[(0, 2), (1, 2)], num_users=3, num_items=4)
    scores = torch.tensor([[0.0, 1.0, 3.0, 2.0], [4.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    found = segments_of(RankingEvaluator(ks=(2,), segment_k=2).evaluate(ScoreTable(scores), task))
    assert (found["user_warmth", "warm"].num_users, found["user_warmth", "cold"].num_users) == (1, 1)
    assert found["user_warmth", "warm"].means == {"recall@2": 1.0, "ndcg@2": 1.0, "hit_rate@2": 1.0}
    assert found["user_warmth", "cold"].means == {"recall@2": 0.0, "ndcg@2": 0.0, "hit_rate@2": 0.0}


def test_where_nothing_is_cold_nothing_is_said_of_it():
    # item 3 has no training interaction, but nobody is asked for it
    task = make_task(train=[(0, 0), (0, 1), (1, 2)], test=[(0, 2)], num_users=2, num_items=4)
    result = RankingEvaluator(ks=(2,)).evaluate(SharedRow([1.0, 2.0, 3.0, 4.0]), task)
    assert {group for group, _ in segments_of(result)} == {"user_activity", "item_popularity"}
    assert not any("cold" in name for name in [*result.flat(), *result.per_user_beyond])


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_cold_items_agree_with_a_user_by_user_reference(seed):
    task, scores, _, train, test = random_case(seed)
    # the last ten items leave training, so that there is something cold
    train = [(user, item) for user, item in train if item < 15]
    task = make_task(train, [*test, (1, 20)], 30, 25)
    result = RankingEvaluator(ks=(3,), segment_k=4, bootstrap_samples=0, batch_size=7).evaluate(
        ScoreTable(scores), task
    )
    cold = set(range(25)) - {item for _, item in train}
    among_all, among_cold = [], []
    for user in result.users.tolist():
        relevant = {item for u, item in [*test, (1, 20)] if u == user}
        row = scores[user].clone()
        row[[item for u, item in train if u == user]] = -math.inf
        if not relevant & cold:
            among_all.append(math.nan)
            among_cold.append((math.nan, math.nan, math.nan))
            continue
        among_all.append(numpy_reference.recall(numpy_reference.rank(row.tolist(), 4), relevant & cold, 4))
        row[sorted(set(range(25)) - cold)] = -math.inf
        ranked = numpy_reference.rank(row.tolist(), 4)
        among_cold.append(
            tuple(numpy_reference.METRICS[name](ranked, relevant & cold, 4) for name in ("recall", "ndcg", "hit_rate"))
        )
    np.testing.assert_allclose(result.per_user_beyond["item_warmth=cold/recall@4"], among_all)
    for position, name in enumerate(("recall", "ndcg", "hit_rate")):
        expected = np.array(among_cold)[:, position]
        np.testing.assert_allclose(result.per_user_beyond[f"cold_catalogue/{name}@4"], expected)
        assert result.catalogue[f"cold_catalogue/{name}@4"] == pytest.approx(np.nanmean(expected))
    assert result.flat()["test/item_warmth=cold/recall@4"] == pytest.approx(np.nanmean(among_all))


def test_numbers_of_cold_items_do_not_depend_on_the_batch_size():
    _, scores, _, train, test = random_case(seed=5, num_users=60)
    task = make_task([(user, item) for user, item in train if item < 15], test, 60, 25)
    one, seven, all_at_once = (flat(task, scores, batch_size=size) for size in (1, 7, 1000))
    assert one == seven == all_at_once
    assert "test/cold_catalogue/recall@5" in one
    assert "test/user_warmth=cold/recall@5" in one


# --- items that are known already ------------------------------------------------------------------------------------

#: User 0 had items 1 and 2 and takes 1 again and 3; user 1 had item 4 and takes it again.
BOUGHT, BOUGHT_AGAIN = [(0, 1), (0, 2), (1, 4)], [(0, 1), (0, 3), (1, 4)]


def known_result(known_items):
    task = make_task(BOUGHT, BOUGHT_AGAIN, num_users=2, num_items=5, known_items=known_items)
    return RankingEvaluator(ks=(2,), segment_k=2, bootstrap_samples=0).evaluate(
        SharedRow([0.0, 4.0, 1.0, 3.0, 2.0]), task
    )


def test_what_was_known_is_no_test_and_its_share_is_told():
    result = known_result(ONLY_NEW)
    assert result.flat()["test/known_share"] == pytest.approx(2 / 3)
    # User 0 is left, with item 3 to find, which is first among 3, 4 and 0; user 1 has nothing new.
    assert (result.users.tolist(), result.per_user["recall@2"].tolist()) == ([0], [1.0])
    assert not any(segment.group == "target" for segment in result.segments)


def test_buying_again_is_measured_beside_what_is_new():
    result = known_result(KnownItems(SeenPolicy(False), "keep"))
    # Both get 1 and 3: user 0 finds both, user 1 does not find 4.
    assert result.per_user["recall@2"].tolist() == [1.0, 0.0]
    flat = result.flat()
    assert (flat["test/target=new/recall@2"], flat["test/target=repeated/recall@2"]) == (1.0, 0.5)
    assert result.per_user_beyond["target=new/recall@2"].tolist() == pytest.approx([1.0, math.nan], nan_ok=True)


def test_what_is_left_out_of_lists_but_to_be_found_is_missed():
    result = known_result(KnownItems(repeats="keep"))
    # User 0 gets 3 and 4, without 1 and 2; user 1 gets 1 and 3.
    assert result.per_user["recall@2"].tolist() == [0.5, 0.0]
    assert result.flat()["test/target=repeated/recall@2"] == 0.0


def test_a_test_of_known_pairs_alone_has_a_remedy():
    task = make_task(BOUGHT, BOUGHT[:1], num_users=2, num_items=5)
    with pytest.raises(EvaluationError, match=r"was known before: .*set evaluation\.repeats=keep to find it again"):
        RankingEvaluator().evaluate(SharedRow([0.0] * 5), task)


def test_batches_are_planned_for_the_device_unless_a_size_is_set(monkeypatch):
    task, *_ = random_case(seed=13)
    asked = []

    def planned(device, num_items, k, pairs_per_user):
        asked.append((device.type, num_items, k))
        return 17

    monkeypatch.setattr("recsys.evaluation.ranking.users_per_batch", planned)
    assert RankingEvaluator().users_per_batch(task, 50) == 17
    assert asked == [("cpu", 25, 50)]
    assert RankingEvaluator(batch_size=3).users_per_batch(task, 50) == 3
    assert RankingEvaluator(max_scores=100).users_per_batch(task, 50) == 4
    assert len(asked) == 2


# --- samples of users ------------------------------------------------------------------------------------------------


def wide_case(num_users=4000):
    """A task of many users with a random score for each of 50 items, of which one is to be found."""
    random = np.random.default_rng(0)
    task = make_task([], [(user, int(random.integers(50))) for user in range(num_users)], num_users, 50)
    return task, ScoreTable(torch.from_numpy(random.random((num_users, 50)).astype(np.float32)))


def test_a_sample_has_the_values_that_its_users_have_among_all():
    task, model = wide_case()
    every, some = (RankingEvaluator(ks=(10,), max_users=size, seed=3).evaluate(model, task) for size in (None, 500))
    assert (len(some.users), some.sampled_from, every.sampled_from) == (500, 4000, None)
    np.testing.assert_array_equal(some.per_user["ndcg@10"], every.per_user["ndcg@10"][some.users])


def test_intervals_of_a_sample_are_as_much_wider_as_it_is_smaller():
    # 400 of 4,000 users: sqrt(10) = 3.2 times the width, and a mean within a few of its standard errors
    task, model = wide_case()
    every, some = (RankingEvaluator(ks=(10,), max_users=size).evaluate(model, task) for size in (None, 400))
    widths = [result.intervals["ndcg@10"].high - result.intervals["ndcg@10"].low for result in (every, some)]
    assert 2.6 < widths[1] / widths[0] < 3.8
    assert abs(some.means()["ndcg@10"] - every.means()["ndcg@10"]) < widths[1]


def test_a_sample_of_all_users_is_no_sample():
    task, model = wide_case(50)
    every, bounded = (RankingEvaluator(max_users=size).evaluate(model, task) for size in (None, 50))
    assert bounded.sampled_from is None
    assert bounded.flat() == every.flat()


def test_there_is_no_third_way_to_treat_known_pairs():
    with pytest.raises(EvaluationError, match="evaluation.repeats must be drop or keep"):
        RankingEvaluator(repeats="some")


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_users_that_ranks_divide_give_the_numbers_of_one_process(two_ranks, batch_size):
    expected = evaluated(batch_size)
    main, other = two_ranks[f"evaluated {batch_size}"]
    assert main.keys() == expected.keys()
    assert main["ranked"] + other["ranked"] == expected["ranked"]
    assert abs(main["ranked"] - other["ranked"]) <= batch_size
    for name in expected.keys() - {"ranked"}:
        np.testing.assert_array_equal(main[name], expected[name], err_msg=name)
