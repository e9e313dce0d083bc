import numpy as np
import torch

from recsys.training.batches import HostBatches, OrderedPlaces, PermutationBatches, epoch_generator

COLUMNS = (torch.arange(10), torch.arange(10) * 2)


def epoch(number: int) -> list[tuple[torch.Tensor, ...]]:
    return list(PermutationBatches(COLUMNS, slice_size=4, seed=1, epoch=lambda: number))


def test_an_epoch_holds_every_row_once():
    batches = epoch(0)
    assert [len(first) for first, _ in batches] == [4, 4, 2]
    assert torch.cat([first for first, _ in batches]).sort().values.tolist() == list(range(10))


def test_columns_stay_together():
    assert all(torch.equal(second, first * 2) for first, second in epoch(0))


def test_permutation_depends_on_the_epoch_alone():
    assert all(torch.equal(a[0], b[0]) for a, b in zip(epoch(3), epoch(3), strict=True))
    assert not torch.equal(epoch(3)[0][0], epoch(4)[0][0])


def test_length_is_the_number_of_batches():
    batches = PermutationBatches(COLUMNS, slice_size=4, seed=1, epoch=lambda: 0)
    assert len(batches) == len(list(batches)) == 3


def test_streams_of_an_epoch_differ():
    draws = [torch.rand(1, generator=epoch_generator(0, 0, stream, torch.device("cpu"))) for stream in range(3)]
    assert len({draw.item() for draw in draws}) == 3


def test_ordered_places_go_through_the_rows_once():
    places = OrderedPlaces(7, 3)
    assert list(places) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert len(places) == 3
    assert list(OrderedPlaces(0, 3)) == []


def test_rows_are_drawn_in_proportion_to_their_weights():
    weights = torch.tensor([1.0] * 9 + [11.0])  # 20 in all: of 10 draws the last row is due 5.5
    counts = torch.zeros(10)
    for number in range(400):
        batches = list(PermutationBatches(COLUMNS, 4, seed=1, epoch=lambda number=number: number, weights=weights))
        drawn = torch.cat([first for first, _ in batches])
        assert len(drawn) == 10
        assert all(torch.equal(second, first * 2) for first, second in batches)
        assert int((drawn == 9).sum()) in (5, 6)
        counts += torch.bincount(drawn, minlength=10)
    torch.testing.assert_close(counts / 400, weights / 2, atol=0.1, rtol=0)


def test_equal_weights_draw_every_row_once():
    batches = PermutationBatches(COLUMNS, 4, seed=1, epoch=lambda: 0, weights=torch.full((10,), 0.3))
    assert torch.cat([first for first, _ in batches]).sort().values.tolist() == list(range(10))


def test_slices_for_the_host_are_arrays_in_the_same_order():
    column = torch.arange(10)
    on_device = [rows.tolist() for (rows,) in PermutationBatches((column,), 4, 3, lambda: 1)]
    on_host = list(HostBatches((column,), 4, 3, lambda: 1))
    assert all(isinstance(rows, np.ndarray) for rows in on_host)
    assert [rows.tolist() for rows in on_host] == on_device
