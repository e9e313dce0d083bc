import pytest
import torch
from counted.operators import CountOperators, OperatorCount


def counted(function) -> OperatorCount:
    with CountOperators() as counting:
        function()
    return counting.count


def test_an_operator_reads_its_inputs_and_writes_its_output():
    x = torch.zeros(100)
    count = counted(lambda: x + x)
    assert (count.kernels, count.bytes) == (1, 3 * 400)


def test_an_operator_in_place_reads_and_writes():
    x = torch.zeros(100)
    assert counted(lambda: x.mul_(2)).bytes == 2 * 400


def test_a_view_costs_nothing():
    x = torch.zeros(100)
    count = counted(lambda: x.view(10, 10).T[0])
    assert (count.kernels, count.bytes) == (0, 0)


def test_rows_of_a_table_cost_what_is_read():
    table, rows = torch.zeros(1000, 4), torch.tensor([1, 2])
    # two rows of 16 bytes are read and written, and two int64 are read
    assert counted(lambda: table.index_select(0, rows)).bytes == 2 * 32 + 16


def test_rows_that_are_added_cost_what_is_touched():
    table, rows, values = torch.zeros(1000, 4), torch.tensor([1, 2]), torch.ones(2, 4)
    # the rows are read and written, the values and the indices read
    assert counted(lambda: table.index_add_(0, rows, values)).bytes == 16 + 32 + 2 * 32


def test_a_backward_pass_is_counted():
    x = torch.zeros(10, requires_grad=True)
    assert counted(lambda: x.square().sum().backward()).kernels > 2


def test_what_the_host_has_to_know_is_a_synchronisation():
    x = torch.arange(4)
    waits = {
        "item": lambda: x[0].item(),
        "nonzero": lambda: x.nonzero(),
        "mask": lambda: x[x > 2],
        "repeat": lambda: torch.repeat_interleave(x, x),
        "copy": lambda: x.cpu(),
        "list": lambda: x.tolist(),
        "truth": lambda: bool(x[0] > 2),
        "unique": lambda: x.unique(),
    }
    assert {name: counted(function).synchronisations for name, function in waits.items()} == dict.fromkeys(waits, 1)


def test_what_stays_on_the_device_is_none():
    x = torch.arange(4)

    def work() -> None:
        torch.repeat_interleave(x, torch.tensor(2), output_size=8)
        x.masked_fill(x > 2, 0)
        torch.where(x > 2, x, 0).sort()

    assert counted(work).synchronisations == 0


def test_a_number_that_is_read_in_inference_mode_is_waited_for():
    with torch.inference_mode(), CountOperators() as counted:
        torch.ones(3).sum().item()
    assert counted.count.synchronisations == 1


def test_loops_over_two_tables_move_the_rows_of_each():
    pytest.importorskip("numba")
    from recsys.training.fused import pair_kernels

    assert pair_kernels  # registers the operator
    users, items = torch.tensor([1, 1, 0]), torch.tensor([[0, 1], [0, 2], [0, 1]])
    weights = torch.ones(9, 4), torch.ones(7, 4)
    none = torch.empty(0, 1), torch.empty(0, 1), torch.empty(0)
    places = [torch.full((len(weight),), -1, dtype=torch.int32) for weight in weights]
    places += [torch.empty_like(users), items.new_empty(6)]
    rest = *places, [False] * 4, True, 0.5, 0.0
    with CountOperators() as counted:
        torch.ops.recsys.fused_pairs(users, items, *weights, *map(torch.zeros_like, weights), *none, *none, *rest)
    # 9 ids of 8 bytes, and as many of distinct rows; 5 places of 4 bytes, read and written; 2 users and 3 items have
    # rows of 16 bytes, which are read, and gradients, read and written
    assert counted.count.by_operator["recsys::fused_pairs"] == 2 * 9 * 8 + 5 * 4 * 2 + (2 + 3) * 16 * 3
    rows = torch.zeros(3, 4), torch.zeros(6, 4)
    with CountOperators() as counted:
        torch.ops.recsys.fused_pairs(
            users, items, *weights, *rows, *none, *none, *places, [True, True, False, False], True, 0.5, 0.0
        )
    # gradients of as many rows as there are ids at most, each written once
    assert counted.count.by_operator["recsys::fused_pairs"] == 2 * 9 * 8 + 5 * 4 * 2 + (2 + 3) * 16 + 9 * 16
