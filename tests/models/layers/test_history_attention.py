import numpy as np
import pytest
import torch

from recsys.errors import ModelError
from recsys.models.layers.history_attention import HistoryAttention
from tests.models.small_data import histories_of, small_data


def attention(temperature: float = 0.1, max_history: int = 50) -> HistoryAttention:
    made = HistoryAttention(12, 4, temperature, max_history)
    made.learn(small_data())
    return made


def test_is_the_attention_of_its_formula():
    made = attention()
    history = [2, 7, 9]
    vectors = made.vectors.double().numpy()
    cosine = vectors[history] @ vectors.T
    weights = np.exp(cosine / 0.1)
    weights /= weights.sum(0)
    found = made(histories_of(history))[0].numpy()
    np.testing.assert_allclose(found[0], (weights * cosine).sum(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[1], cosine.mean(0), rtol=1e-4, atol=1e-6)


def test_a_low_temperature_looks_at_the_most_similar_item():
    made = attention(temperature=0.03)
    made.vectors.zero_()
    made.vectors[:3] = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0.8, 0.6, 0, 0]])
    nearest = made(histories_of([0, 1]))[0, 0, 2].item()
    assert nearest == pytest.approx(0.8, abs=1e-3)


def test_a_batch_says_what_each_alone_says():
    made = attention()
    together = made(histories_of([1, 2, 3, 4], [], [8]))
    assert together[1].isnan().all()
    torch.testing.assert_close(together[0], made(histories_of([1, 2, 3, 4]))[0])
    torch.testing.assert_close(together[2], made(histories_of([8]))[0])


def test_only_the_latest_interactions_count():
    made = attention(max_history=2)
    torch.testing.assert_close(made(histories_of([5, 6, 1, 2])), made(histories_of([1, 2])))


def test_blocks_change_nothing(monkeypatch):
    histories = histories_of([1, 2], [3], [], [4, 5, 6])
    whole = attention()(histories)
    monkeypatch.setattr("recsys.models.layers.history_attention.MAX_SIMILARITIES", 1)
    torch.testing.assert_close(attention()(histories), whole, equal_nan=True)


def test_an_item_without_interactions_is_like_none():
    assert attention()(histories_of([1, 2]))[0, :, 5].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_too_low_a_temperature_is_refused():
    with pytest.raises(ModelError, match=r"attention_temperature must be at least 0\.03, but it is 0\.01"):
        HistoryAttention(3, 2, 0.01, 5)
