import dataclasses
import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save

from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.content import Content
from recsys.models.interface.protocols import (
    Factorized,
    Fittable,
    FoldsIn,
    Query,
    ScoringModel,
    UsesItemFeatures,
)

WORDS = ["war drama", "war", "comedy", "comedy love", None, "love drama"]


def features(words=WORDS) -> FeatureTable:
    columns = (FeatureColumn("words", FeatureKind.TEXT),)
    return FeatureTable.from_table(pa.table({"words": pa.array(words, pa.string())}), columns, min_document_frequency=1)


def content(words=WORDS, **settings) -> Content:
    model = Content(num_users=3, num_items=len(words), **settings)
    model.set_item_features(features(words))
    return model


def histories(*rows: list[int], ratings: list[list[float]] | None = None) -> Histories:
    flat = torch.tensor([item for row in rows for item in row], dtype=torch.int64)
    offsets = torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)
    given = None if ratings is None else torch.tensor([float(rating) for row in ratings for rating in row])
    return Histories(offsets, flat, given, None)


def interactions(ratings: list[float] | None = None) -> Interactions:
    zeros = np.zeros(3, dtype=np.int32)
    rating = None if ratings is None else np.array(ratings, dtype=np.float32)
    return Interactions(zeros, np.arange(3, dtype=np.int32), rating, None, None, num_users=3, num_items=len(WORDS))


def same(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether two tables of scores are equal to the last bit, no opinion in the same places."""
    return np.array_equal(first.numpy(), second.numpy(), equal_nan=True)


def slow_scores(words: list[str | None], history: list[int], weights: list[float]) -> np.ndarray:
    """The cosine of each item with the weighted sum of the history's TF-IDF vectors, word by word."""
    split = [text.split() if text else [] for text in words]
    vocabulary = sorted({word for text in split for word in text})
    vectors = np.zeros((len(words), len(vocabulary)))
    for item, text in enumerate(split):
        for word in set(text):
            frequency = sum(word in other for other in split)
            rarity = 1 + math.log((1 + len(words)) / (1 + frequency))
            vectors[item, vocabulary.index(word)] = (1 + math.log(text.count(word))) * rarity
    lengths = np.linalg.norm(vectors, axis=1)
    vectors[lengths > 0] /= lengths[lengths > 0, None]
    profile = np.zeros(len(vocabulary))
    for item, weight in zip(history, weights, strict=True):
        profile += weight * vectors[item]
    length = np.linalg.norm(profile)
    scores = np.array([vector @ profile / length if length > 1e-5 else np.nan for vector in vectors])
    scores[lengths == 0] = np.nan
    return scores


def test_implements_its_protocols():
    for protocol in (ScoringModel, Fittable, FoldsIn, UsesItemFeatures, Factorized):
        assert isinstance(content(), protocol)


def test_scores_are_cosines_with_the_sum_of_the_history():
    # every word has the same frequency, so the vectors are (1, 1) / sqrt(2), (1, 0), (0, 1)
    model = content(["a b", "a", "b"])
    half = math.sqrt(0.5)
    torch.testing.assert_close(
        model.score_histories(histories([1], [1, 2])), torch.tensor([[half, 1, 0], [1, half, half]])
    )


def test_an_item_that_nobody_has_interacted_with_is_scored_by_its_content():
    # item 3 is in no history; it is a comedy, as item 2 is
    scores = content().score_histories(histories([2]))[0]
    assert scores[3] > 0.5
    assert scores[1] == 0


def test_an_empty_history_and_one_without_content_get_no_opinion():
    scores = content().score_histories(histories([], [4], [1]))
    assert scores[:2].isnan().all()
    assert not scores[2, :4].isnan().any()


@pytest.mark.parametrize("num_components", [None, 2])
def test_of_nobody_and_of_nothing_but_empty_histories(num_components):
    model = content(num_components=num_components)
    assert model.score_histories(histories()).shape == (0, 6)
    assert model.score_histories(histories([], [])).isnan().all()


def test_an_item_without_content_gets_no_opinion_from_anyone():
    assert content().score_histories(histories([0], [2, 4]))[:, 4].isnan().all()


def test_a_known_user_is_scored_by_the_history_alone():
    model, given = content(), histories([0, 5], [2])
    assert same(model.score(Query(torch.tensor([-1, 2]), given)), model.score_histories(given))


def test_scores_are_inner_products_of_the_encoders_no_opinion_included():
    model = content()
    query = Query(torch.tensor([0, 1, -1]), histories([0, 2], [], [5]))
    products = model.encode_users(query) @ model.encode_items(torch.arange(6)).T
    torch.testing.assert_close(products, model.score(query), equal_nan=True)
    picked = model.encode_items(torch.tensor([3, 0]))
    assert picked.equal(model.encode_items(torch.arange(6))[[3, 0]])


class TestRatings:
    def test_count_from_the_mean_of_the_user(self):
        model = content(["a", "b", "c"], ratings_above="user_mean")
        model.fit(interactions([1, 2, 3]))
        # above the mean of 3: 2 and -2; the profile is (2, -2, 0), of length sqrt(8)
        scores = model.score_histories(histories([0, 1], ratings=[[5, 1]]))
        torch.testing.assert_close(scores, torch.tensor([[0.5**0.5, -(0.5**0.5), 0]]))

    def test_count_from_the_mean_of_all_training_ratings(self):
        model = content(["a", "b", "c"], ratings_above="global_mean")
        model.fit(interactions([1, 2, 3]))
        # above 2: 3 and 4; the profile is (3, 4, 0), of length 5
        scores = model.score_histories(histories([0, 1], ratings=[[5, 6]]))
        torch.testing.assert_close(scores, torch.tensor([[0.6, 0.8, 0]]))

    def test_do_not_count_by_default(self):
        rated = content().score_histories(histories([0, 2], ratings=[[5, 1]]))
        assert same(rated, content().score_histories(histories([0, 2])))

    @pytest.mark.parametrize("rating", [0.1, 3.7, 5.0])
    def test_that_are_all_alike_do_not_count(self, rating):
        model = content(ratings_above="user_mean")
        rated = model.score_histories(histories([0, 2, 5], ratings=[[rating] * 3]))
        assert same(rated, model.score_histories(histories([0, 2, 5])))

    def test_of_like_items_that_cancel_out_give_no_opinion(self):
        model = content(["a", "a", "a", "b"], ratings_above="user_mean")
        assert model.score_histories(histories([0, 1, 2], ratings=[[5, 4.1, 1.3]])).isnan().all()

    def test_of_one_user_leave_the_others_alone(self):
        model = content(ratings_above="user_mean")
        both = model.score_histories(histories([0, 2], [], [1, 5], ratings=[[5, 1], [], [2, 3]]))
        alone = model.score_histories(histories([1, 5], ratings=[[2, 3]]))
        torch.testing.assert_close(both[2:], alone, equal_nan=True)

    def test_are_required_where_they_count(self):
        with pytest.raises(ModelError, match=r"need interactions with ratings.*ratings_above=null"):
            content(ratings_above="user_mean").fit(interactions())
        content().fit(interactions())

    def test_are_compared_with_a_mean_that_exists(self):
        with pytest.raises(ModelError, match="must be null, user_mean or global_mean, but it is median"):
            content(ratings_above="median")


class TestRecency:
    def test_lowers_the_weight_of_older_items(self):
        model = content(["a", "b", "c"], recency=Recency(step_decay=0.75))
        # the profile is (0.75, 1, 0), of length 1.25
        torch.testing.assert_close(model.score_histories(histories([0, 1])), torch.tensor([[0.6, 0.8, 0]]))

    def test_multiplies_what_the_rating_counts(self):
        model = content(["a", "b", "c"], recency=Recency(step_decay=0.75), ratings_above="user_mean")
        scores = model.score_histories(histories([0, 1], ratings=[[1, 5]]))
        torch.testing.assert_close(scores, torch.tensor([[-0.6, 0.8, 0]]))

    def test_needs_timestamps(self):
        model = content(recency=Recency(day_decay=0.9))
        with pytest.raises(ModelError, match="need interactions with timestamps"):
            model.fit(interactions())
        model.fit(dataclasses.replace(interactions(), timestamp=np.arange(3)))


class TestComponents:
    def test_as_many_as_there_are_words_change_no_score(self):
        whole, projected = content(), content(num_components=100)
        given = histories([0, 2], [5], [4], [])
        assert projected.components.shape == (6, 4)
        torch.testing.assert_close(projected.score_histories(given), whole.score_histories(given), equal_nan=True)

    def test_fewer_make_words_alike_that_go_together(self):
        texts = ["moon mission", "mission star", "star moon", "kiss", "kiss ring", "ring"]
        assert content(texts).score_histories(histories([3]))[0, 5] == 0
        assert content(texts, num_components=2).score_histories(histories([3]))[0, 5] > 0.9

    def test_products_of_the_encoders_are_the_scores(self):
        model = content(num_components=3)
        query = Query(torch.tensor([0, 1, -1]), histories([0, 2], [], [5]))
        products = model.encode_users(query) @ model.encode_items(torch.arange(6)).T
        torch.testing.assert_close(products, model.score(query), equal_nan=True)
        assert model.encode_users(query).shape == (3, 3)

    def test_an_item_of_which_nothing_is_left_gets_no_opinion(self):
        # the first component has the three wars alone
        model = content(["war", "war", "war", "love"], num_components=1)
        scores = model.score_histories(histories([0]))[0]
        torch.testing.assert_close(scores[:3], torch.ones(3))
        assert scores[3].isnan()

    def test_are_positive(self):
        with pytest.raises(ModelError, match="num_components must be at least 1"):
            content(num_components=0)


class TestSentences:
    VECTORS = torch.tensor([[1.0, 0], [0.6, 0.8], [0, 1], [0, 0]])

    def model(self, words=("a", "b", None, None), **settings):
        model = Content(1, 4, sentence_model="any", **settings)
        model.set_item_features(features(list(words)))
        model.set_sentence_vectors(self.VECTORS)
        return model

    def test_share_the_similarity_with_the_words(self):
        # words: 0 for items 0 and 1; sentences: 0.6. Item 2 has a sentence alone, which counts its whole share:
        # (sqrt(0.75) * 0, sqrt(0.25) * 0.6) and sqrt(0.25) * 0, sqrt(0.25) * 0.8 for item 1
        scores = self.model(sentence_share=0.25).score_histories(histories([0], [1]))
        torch.testing.assert_close(scores[:, :3], torch.tensor([[1, 0.15, 0], [0.15, 1, 0.4]]))

    def test_may_count_alone(self):
        # no word is read, so none is needed
        model = self.model([None] * 4, sentence_share=1.0)
        torch.testing.assert_close(model.score_histories(histories([0]))[:, :3], torch.tensor([[1, 0.6, 0]]))

    def test_an_item_with_neither_has_no_content(self):
        assert self.model().score_histories(histories([0]))[0].isnan().tolist() == [False, False, False, True]
        assert self.model().score_histories(histories([3])).isnan().all()

    @pytest.mark.parametrize("num_components", [None, 2])
    def test_products_of_the_encoders_are_the_scores(self, num_components):
        model = self.model(num_components=num_components)
        query = Query(torch.tensor([-1, -1]), histories([0, 2], []))
        products = model.encode_users(query) @ model.encode_items(torch.arange(4)).T
        torch.testing.assert_close(products, model.score(query), equal_nan=True)

    @pytest.mark.parametrize("num_components", [None, 2])
    def test_saved_and_loaded_they_give_the_same_scores(self, num_components):
        model, fresh = (self.model(num_components=num_components) for _ in range(2))
        fresh.components.zero_()
        fresh.load_state_dict(load(save(model.state_dict())))
        assert same(fresh.score_histories(histories([0, 1])), model.score_histories(histories([0, 1])))

    def test_are_asked_for_by_name(self):
        assert isinstance(content(), UsesItemFeatures)
        assert content().sentence_encoder() is None
        assert self.model().sentence_encoder() == "any"

    @pytest.mark.parametrize("share", [0, 1.5])
    def test_have_a_share(self, share):
        with pytest.raises(ModelError, match="sentence_share must be above 0 and at most 1"):
            content(sentence_share=share)


TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=4).map(" ".join), min_size=2, max_size=6)


@given(TEXTS, st.data())
def test_agrees_with_the_formula_written_out(texts, data):
    if not any(texts):
        texts[0] = "a"
    items = st.lists(st.integers(0, len(texts) - 1), max_size=5, unique=True)
    rows = data.draw(st.lists(items, min_size=1, max_size=4))
    ratings = [data.draw(st.lists(st.integers(1, 5), min_size=len(row), max_size=len(row))) for row in rows]
    model = content(texts, ratings_above="user_mean")
    scores = model.score_histories(histories(*rows, ratings=[list(map(float, row)) for row in ratings]))
    for row, given_ratings, found in zip(rows, ratings, scores, strict=True):
        mean = np.mean(given_ratings) if row else 0
        weights = [rating - mean for rating in given_ratings]
        if len(set(given_ratings)) < 2:
            weights = [1.0] * len(row)
        np.testing.assert_allclose(found.numpy(), slow_scores(texts, row, weights), atol=1e-5)


def test_many_interactions_are_added_up_in_blocks(monkeypatch):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(list("abcdefgh"), size=3)) for _ in range(20)]
    rows = [random.permutation(20)[: random.integers(1, 15)].tolist() for _ in range(8)]
    whole = content(texts).score_histories(histories(*rows))
    monkeypatch.setattr("recsys.models.content.INTERACTIONS_PER_BLOCK", 7)
    torch.testing.assert_close(content(texts).score_histories(histories(*rows)), whole)


@pytest.mark.parametrize("num_components", [None, 2])
def test_saved_and_loaded_it_gives_the_same_scores(num_components):
    settings = {"ratings_above": "global_mean", "num_components": num_components}
    model, given = content(**settings, seed=1), histories([0, 3], ratings=[[5, 2]])
    model.fit(interactions([1, 4, 4]))
    fresh = content(**settings, seed=2)
    fresh.load_state_dict(load(save(model.state_dict())))
    assert same(fresh.score_histories(given), model.score_histories(given))


def test_columns_that_are_empty_are_refused():
    with pytest.raises(ModelError, match="No item has a value in the columns words"):
        content([None, ""])
