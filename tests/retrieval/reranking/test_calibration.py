import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval.reranking import calibration
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.reranker import normalised_scores
from recsys.retrieval.top_k import top_k
from tests.retrieval.made import candidates, requests, values, worlds

SHARES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])


def share(items, genres, num_values):
    """The shares of genres among items, in Python."""
    sums = [0.0] * num_values
    for item in items:
        own = [code for code in genres[item] if code >= 0]
        for code in own:
            sums[code] += 1 / len(own)
    return [value / sum(sums) if sum(sums) else 0.0 for value in sums]


def divergence(history, items, genres, num_values):
    """The KL divergence of Steck (2018), in Python."""
    wanted, found = share(history, genres, num_values), share(items, genres, num_values)
    return sum(p * math.log(p / (0.99 * q + 0.01 * p)) for p, q in zip(wanted, found, strict=True) if p > 0)


def test_the_divergence_by_hand():
    # the history is half of genre 0 and half of genre 1; the list is all of genre 0:
    # .5 log(.5 / (.99 + .005)) + .5 log(.5 / .005) = .5 * (-.6881) + .5 * 4.6052
    genres = values([[0], [1], [0, 1], []], 2)
    asked = requests(history=[[0, 1], [2], [3], [0]])
    found = CalibratedReranker(genres, 0.5).divergence(asked, np.array([[0, 0], [2, -1], [0, 1], [3, -1]]))
    assert found[0] == pytest.approx(1.9585, abs=1e-4)
    assert found[1] == pytest.approx(0)
    assert math.isnan(found[2])
    # a list without genres has nothing but the mixed-in share
    assert found[3] == pytest.approx(math.log(100))


def test_the_list_comes_to_the_shares_of_the_history():
    # the history is two thirds of genre 0; items 3-6 are of genre 0, items 7, 8 of genre 1, which score lower
    genres = values([[0], [0], [1], [0], [0], [0], [0], [1], [1]], 2)
    made = candidates([[3, 4, 5, 6, 7, 8]], [[6, 5, 4, 3, 2, 1]])
    asked = requests(history=[[0, 1, 2]])
    assert made.at(CalibratedReranker(genres, 0).rerank(asked, made, 3)).items.tolist() == [[3, 4, 5]]
    # alone, an item of genre 0 is nearer to the history than one of genre 1, and then the third part is missing
    assert sorted(made.at(CalibratedReranker(genres, 0.9).rerank(asked, made, 3)).items[0].tolist()) == [3, 4, 7]


def test_a_history_without_genres_leaves_the_list():
    genres = values([[], [0], [1]], 2)
    made = candidates([[1, 2], [1, 2]], [[2, 1], [2, 1]])
    chosen = CalibratedReranker(genres, 1.0).rerank(requests(history=[[0], []]), made, 2)
    assert chosen.tolist() == [[0, 1], [0, 1]]


@given(worlds(), SHARES)
def test_is_the_greedy_choice_of_its_definition(world, diversity_weight):
    genres, k = world["genres"], world["k"]
    of_items, num_values = genres.padded().tolist(), len(genres.vocabulary)
    made = top_k(world["scores"], world["num_candidates"])
    asked = requests(history=world["seen"])
    chosen = made.at(CalibratedReranker(genres, diversity_weight).rerank(asked, made, k)).items
    scores = normalised_scores(made)
    for row, items in enumerate(chosen.tolist()):
        score = dict(zip(made.items[row].tolist(), scores[row].tolist(), strict=True))
        left = [item for item in made.items[row].tolist() if item >= 0]
        taken: list[int] = []
        assert [item for item in items if item >= 0] == items[: min(k, len(left))]
        for item in items[: min(k, len(left))]:

            def gain(other, taken=taken, score=score, history=world["seen"][row]):
                kl = divergence(history, [*taken, other], of_items, num_values)
                return (1 - diversity_weight) * score[other] - diversity_weight * kl

            best = max(gain(other) for other in left)
            # of equal ones the first is chosen, up to rounding
            assert gain(item) >= best - 1e-9
            assert all(gain(other) <= gain(item) + 1e-9 for other in left[: left.index(item)])
            taken.append(item)
            left.remove(item)


@given(worlds())
def test_weight_0_changes_nothing(world):
    made = top_k(world["scores"], world["num_candidates"])
    chosen = CalibratedReranker(world["genres"], 0).rerank(requests(history=world["seen"]), made, world["k"])
    assert made.at(chosen).items.tolist() == made.padded(world["k"]).items.tolist()


@given(worlds(), SHARES)
def test_a_list_of_one_is_never_further_from_the_history(world, diversity_weight):
    # Of more than one item a greedy choice promises nothing; for one it does.
    made = top_k(world["scores"], world["num_candidates"])
    asked = requests(history=world["seen"])
    calibrated = CalibratedReranker(world["genres"], diversity_weight)
    after = calibrated.divergence(asked, made.at(calibrated.rerank(asked, made, 1)).items)
    before = calibrated.divergence(asked, made.items[:, :1])
    assert (np.isnan(after) | (after <= before + 1e-9)).all()


@given(worlds())
def test_the_divergence_is_that_of_its_definition(world):
    genres = world["genres"]
    made = top_k(world["scores"], world["num_candidates"])
    found = CalibratedReranker(genres, 0.5).divergence(requests(history=world["seen"]), made.items)
    for row, history in enumerate(world["seen"]):
        items = [item for item in made.items[row] if item >= 0]
        expected = divergence(history, items, genres.padded().tolist(), 4)
        if any(genres.items.tolist().count(item) for item in history):
            assert found[row] == pytest.approx(expected, abs=1e-12)
            assert found[row] > -1e-12
        else:
            assert math.isnan(found[row])


def made_users(num_users=50, num_items=80, num_values=6):
    rng = np.random.default_rng(7)
    genres = values([rng.choice(num_values, 2, replace=False).tolist() for _ in range(num_items)], num_values)
    history = [rng.choice(num_items, 12, replace=False).tolist() for _ in range(num_users)]
    return genres, requests(history=history), top_k(rng.normal(size=(num_users, num_items)), 40)


def test_lists_come_nearer_to_the_history_with_the_weight():
    genres, asked, made = made_users()
    means = []
    for diversity_weight in (0, 0.2, 0.5, 0.9):
        calibrated = CalibratedReranker(genres, diversity_weight)
        means.append(calibrated.divergence(asked, made.at(calibrated.rerank(asked, made, 10)).items).mean())
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.3 * means[0]


def test_blocks_of_requests_change_nothing(monkeypatch):
    genres, asked, made = made_users()
    calibrated = CalibratedReranker(genres, 0.5)
    expected = calibrated.rerank(asked, made, 6).tolist()
    monkeypatch.setattr(calibration, "MAX_NUMBERS", 300)
    assert calibrated.rerank(asked, made, 6).tolist() == expected
