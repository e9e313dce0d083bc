import dataclasses

import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models import trend
from recsys.models.protocols import Query
from recsys.models.trend import Trend
from tests.models.small_data import histories_of, small_data

DAY = 86_400


def histories(*rows):
    """One row for each list of days; the items do not matter."""
    offsets = torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)
    days = torch.tensor([day for row in rows for day in row], dtype=torch.float64)
    return Histories(offsets, torch.zeros(len(days), dtype=torch.int64), None, (days * DAY).long())


def fitted(scale_days=4.0, prior=0.5):
    data = small_data()
    model = Trend(data.num_users, data.num_items, scale_days, prior)
    model.fit(data)
    return model, data


def reference(data, times, scale_days, prior):
    """The score of each item for a user who was active in these spans, by loops."""
    span = scale_days * DAY / 2
    first = data.timestamp.min()
    spans = (data.timestamp - first) // span
    usual = np.bincount(data.item_index, minlength=data.num_items) / len(data)
    scores = []
    for time in times:
        weights = np.exp(-np.abs(spans - min(max((time * DAY - first) // span, 0), spans.max())) / 2)
        share = np.bincount(data.item_index, weights, minlength=data.num_items) / weights.sum()
        scores.append(np.log((share + prior / data.num_items) / (usual + prior / data.num_items)))
    return np.mean(scores, axis=0)


@pytest.mark.parametrize("scale_days", [1.0, 4.0, 30.0, 10_000.0])
def test_scores_are_mean_log_ratios_of_shares(scale_days):
    model, data = fitted(scale_days)
    rows = [[0], [3.2, 3.3, 90.0], [17.0]]
    expected = np.stack([reference(data, row, scale_days, 0.5) for row in rows])
    np.testing.assert_allclose(model.score_histories(histories(*rows)).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_times_outside_those_of_training_are_its_first_and_last():
    model, data = fitted()
    last = data.timestamp.max() / DAY
    outside = model.score_histories(histories([-50.0], [last + 1000]))
    assert torch.equal(outside, model.score_histories(histories([0.0], [last])))


def test_interactions_without_a_time_are_of_the_end():
    model, data = fitted()
    expected = model.score_histories(histories([data.timestamp.max() / DAY]))
    torch.testing.assert_close(model.score_histories(histories_of([4, 2])), expected)


def test_an_item_of_its_time_scores_above_one_that_is_as_popular_always():
    data = small_data()
    always, once = data.item_index == 0, data.item_index == 1
    timestamp = data.timestamp.copy()
    timestamp[always] = np.linspace(0, 100 * DAY, always.sum())
    timestamp[once] = 50 * DAY
    model = Trend(data.num_users, data.num_items)
    model.fit(dataclasses.replace(data, timestamp=timestamp))
    then, later = model.score_histories(histories([50.0], [90.0]))
    assert then[1] > then[0]
    assert later[1] < later[0]


def test_the_query_is_its_history():
    model, _ = fitted()
    known = histories([1.0], [2.0])
    assert torch.equal(model.score(Query(torch.tensor([-1, 0]), known)), model.score_histories(known))


def test_refuses_data_without_times_and_a_table_too_large(monkeypatch):
    data = small_data()
    with pytest.raises(ModelError, match="need interactions with timestamps"):
        Trend(data.num_users, data.num_items).fit(dataclasses.replace(data, timestamp=None))
    monkeypatch.setattr(trend, "_MAX_NUMBERS", 100)
    with pytest.raises(ModelError, match=r"100 is the limit. Raise model.scale_days"):
        Trend(data.num_users, data.num_items).fit(data)


@pytest.mark.parametrize("settings", [{"scale_days": 0.0}, {"prior": -1.0}, {"scale_days": float("nan")}])
def test_refuses_settings(settings):
    with pytest.raises(ModelError, match="must be above 0"):
        Trend(3, 4, **settings)


def test_no_interactions_leave_all_items_alike():
    data = small_data()
    model = Trend(data.num_users, data.num_items)
    model.fit(data.take(np.empty(0, dtype=np.int64)))
    assert model.score_histories(histories([3.0])).tolist() == [[0.0] * data.num_items]
