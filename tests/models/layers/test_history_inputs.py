import torch

from recsys.models.layers.history_inputs import NUM_GAPS, rating_embedding, time_gap_embedding


def test_a_gap_has_the_class_of_its_power_of_two_of_hours():
    hours = torch.tensor([[0.0, 0.99, 1.0, 2.99, 3.0, 7.0, 2.0**15 - 1, 1e6]])
    classes = time_gap_embedding(hours * 3600, torch.arange(NUM_GAPS)[:, None])
    # floor(log2(hours + 1)), at most 15
    assert classes[0, :, 0].tolist() == [0, 0, 1, 1, 2, 3, 15, 15]


def test_a_rating_multiplies_a_vector_and_adds_another():
    vectors = torch.tensor([[1.0, 2.0], [10.0, 20.0]])
    assert rating_embedding(torch.tensor([[3.0]]), vectors).tolist() == [[[31.0, 62.0]]]
    assert rating_embedding(torch.tensor([[3.0]]), vectors.double()).tolist() == [[[31.0, 62.0]]]
