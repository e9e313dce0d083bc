import dataclasses

import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Cosine
from recsys.models.components.weightings import Unweighted
from recsys.models.interface.protocols import Fittable, FoldsIn, Query, ScoringModel
from recsys.models.user_knn import UserKNN
from tests.models.knn_reference import SIMILARITIES, WEIGHTINGS, neighbours, represented, similarity_of, weighted
from tests.models.small_data import dense, histories_of, small_data

DATA = small_data()
HISTORIES = Histories.from_interactions(DATA)
EVERYONE = Query(torch.arange(DATA.num_users), HISTORIES)


def user_knn(similarity: str = "cosine", weighting: str = "none", data=DATA, **settings) -> UserKNN:
    settings = {"num_neighbours": 4, "recency": Recency()} | settings
    model = UserKNN(data.num_users, data.num_items, SIMILARITIES[similarity], WEIGHTINGS[weighting], **settings)
    model.fit(data)
    return model


def similarities_of(similarity: str, weighting: str) -> np.ndarray:
    users = weighted(weighting, represented(similarity, DATA), dense(DATA))
    return np.array([[similarity_of(similarity, a, b) for b in users] for a in users])


def test_implements_its_protocols():
    for protocol in (ScoringModel, Fittable, FoldsIn):
        assert isinstance(user_knn(), protocol)
    assert hasattr(user_knn(), "dynamic_buffers")


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_every_similarity_and_weighting_follows_its_definition(similarity, weighting):
    similarities = similarities_of(similarity, weighting)
    np.fill_diagonal(similarities, 0)
    expected = neighbours(similarities, DATA.num_users) @ dense(DATA)
    expected[3] = np.nan  # user 3 has no interactions
    scores = user_knn(similarity, weighting, num_neighbours=DATA.num_users).score(EVERYONE)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


def test_keeps_the_most_similar():
    similarities = similarities_of("adjusted", "bm25")
    np.fill_diagonal(similarities, 0)
    expected = neighbours(similarities, 4) @ dense(DATA)
    expected[3] = np.nan
    np.testing.assert_allclose(user_knn("adjusted", "bm25").score(EVERYONE), expected, rtol=1e-4, atol=1e-5)


def test_an_unseen_user_may_be_a_neighbour_of_their_double():
    expected = neighbours(similarities_of("cosine", "none"), DATA.num_users) @ dense(DATA)
    expected[3] = np.nan
    scores = user_knn(num_neighbours=DATA.num_users).score_histories(HISTORIES)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("similarity", ["asymmetric", "adjusted"])
def test_reversed_neighbours_are_those_who_would_choose_the_user(similarity, weighting):
    similarities = similarities_of(similarity, weighting)  # row v: whom v seeks
    np.fill_diagonal(similarities, -np.inf)
    expected = np.zeros((DATA.num_users, DATA.num_items))
    for other, theirs in enumerate(similarities):
        last = np.sort(theirs)[-5]
        for user in np.flatnonzero((theirs >= last - 1e-9) & (theirs > 0)):
            expected[user] += theirs[user] * dense(DATA)[other]
    expected[3] = np.nan
    model = user_knn(similarity, weighting, num_neighbours=5, reverse_neighbours=True)
    np.testing.assert_allclose(model.score(EVERYONE), expected, rtol=1e-4, atol=1e-5)


def test_with_more_neighbours_than_users_everyone_alike_is_one_in_either_direction():
    forth, back = (
        user_knn(num_neighbours=100, reverse_neighbours=reverse_neighbours).score(EVERYONE)
        for reverse_neighbours in (False, True)
    )
    torch.testing.assert_close(forth, back, equal_nan=True)


def test_a_user_left_out_of_training_scores_as_the_same_user_in_it():
    # A known user is not their own neighbour: their training row changes nothing for the cosine, which uses no counts.
    others = DATA.take(np.flatnonzero(DATA.user_index != 7))
    mine = HISTORIES.take(torch.tensor([7]))
    known = user_knn(num_neighbours=40).score(Query(torch.tensor([7]), mine))
    torch.testing.assert_close(user_knn(data=others, num_neighbours=40).score_histories(mine), known)


def test_recency_weighs_the_history_of_the_query():
    model = user_knn(recency=Recency(step_decay=0.5), num_neighbours=DATA.num_users)
    query = np.zeros(DATA.num_items)
    query[[1, 0, 7]] = 0.25, 0.5, 1.0
    similarities = np.array([[similarity_of("cosine", query, user) for user in dense(DATA)]])
    scores = model.score_histories(histories_of([1, 0, 7], []))
    np.testing.assert_allclose(scores[:1], similarities @ dense(DATA), rtol=1e-5)
    assert scores[1].isnan().all()


def test_normalised_scores_are_shares_of_the_neighbourhood():
    plain, shares = user_knn().score(EVERYONE), user_knn(normalize=True).score(EVERYONE)
    ratio = plain / shares
    assert (shares.nan_to_num() <= 1 + 1e-6).all()
    for row in ratio:
        values = row[row.isfinite()]
        torch.testing.assert_close(values, values[:1].expand_as(values))


@pytest.mark.parametrize("max_block_bytes", [1, 1000, 3000])
def test_the_size_of_blocks_changes_nothing(max_block_bytes):
    for reverse_neighbours in (False, True):
        blocks = user_knn("adjusted", max_block_bytes=max_block_bytes, reverse_neighbours=reverse_neighbours).score(
            EVERYONE
        )
        torch.testing.assert_close(
            blocks, user_knn("adjusted", reverse_neighbours=reverse_neighbours).score(EVERYONE), equal_nan=True
        )


def test_no_one_alike_scores_zero():
    # item 5 has no users
    assert (user_knn().score_histories(histories_of([5])) == 0).all()


def test_nobody_asks():
    assert user_knn().score_histories(histories_of()).shape == (0, DATA.num_items)


def test_the_adjusted_cosine_needs_ratings():
    with pytest.raises(ModelError, match="compares ratings, but these data have none"):
        user_knn("adjusted", data=dataclasses.replace(DATA, rating=None))


def test_ages_need_timestamps():
    with pytest.raises(ModelError, match="need interactions with timestamps"):
        user_knn(data=dataclasses.replace(DATA, timestamp=None), recency=Recency(day_decay=0.9))


@pytest.mark.parametrize("settings", [{"num_neighbours": 0}, {"max_block_bytes": 0}])
def test_refuses_settings_out_of_range(settings):
    with pytest.raises(ModelError, match=f"model.{next(iter(settings))} must be at least 1"):
        UserKNN(1, 1, Cosine(), Unweighted(), Recency(), **settings)
