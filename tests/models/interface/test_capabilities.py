import torch
from torch import nn

from recsys.models.interface.capabilities import capabilities
from recsys.models.interface.protocols import PretrainsInTowers


class Plain(nn.Module):
    def score(self, query):
        return torch.zeros(len(query), 1)


class Able(Plain, PretrainsInTowers):
    def fit(self, interactions): ...

    def score_histories(self, histories): ...

    def set_item_features(self, features): ...

    def sentence_encoder(self): ...

    def set_sentence_vectors(self, vectors): ...

    def predict_ratings(self, query, rows, items): ...

    def encode_users(self, query): ...

    def encode_items(self, items): ...

    def explain(self, query, items): ...

    def towers(self): ...

    def fuse(self): ...


def test_a_model_that_does_nothing_more_than_score():
    assert capabilities(Plain()) == ("learns by gradient steps",)


def test_each_protocol_has_its_words():
    assert capabilities(Able()) == (
        "fits without gradient steps",
        "predicts ratings",
        "folds in unseen users",
        "scores new items from content",
        "retrieves by vectors",
        "explains its scores",
        "pre-trains in towers",
    )
