import torch

from recsys.models.components.recency import Recency
from recsys.models.interface.protocols import Query
from recsys.models.onnx.onnx_query import NO_TIMESTAMP
from tests.models.onnx.model_queries import asked, random_histories, served


def test_of_an_item_that_comes_again_only_the_last_counts():
    assert asked([3, 1, 3], [2]).is_last(5).tolist() == [[False, True, True], [True, False, False]]


def test_an_item_keeps_its_largest_weight_at_its_last_place():
    weights = torch.tensor([[5.0, -1.0, 2.0, 9.0]])
    assert asked([3, 1, 3]).largest(weights[:, :3], 5).tolist() == [[0.0, -1.0, 5.0]]


def test_the_latest_interactions_fill_a_window_from_its_start():
    query = served(Query(torch.tensor([4, -1, 2]), random_histories([5, 2, 0], 9, 0)), padding=2)
    latest = query.latest(3)
    assert latest.lengths.tolist() == [3, 2, 0]
    assert latest.items[0].equal(query.items[0, 2:5])
    assert latest.ratings[1, :2].equal(query.ratings[1, :2])
    assert latest.timestamps[0].equal(query.timestamps[0, 2:5])
    assert (latest.items[2] == -1).all() and latest.ratings[2].isnan().all()


def test_a_window_may_be_wider_than_the_histories():
    assert asked([3, 1]).latest(4).items.tolist() == [[3, 1, -1, -1]]


def test_without_the_newest_time_no_age_in_days_counts():
    query = asked([1, 2])._replace(timestamps=torch.tensor([[86_400, NO_TIMESTAMP]]))
    assert query.recency(Recency(day_decay=0.5)).tolist() == [[1.0, 1.0]]


def test_recency_is_that_of_histories():
    histories = random_histories([6, 0, 3], 9, 1)
    recency = Recency(0.7, 0.9)
    weights = served(Query(torch.full((3,), -1), histories)).recency(recency)
    assert weights[0].allclose(recency.weights(histories)[:6])
    assert weights[2].allclose(torch.cat([recency.weights(histories)[6:], torch.zeros(3)]))
