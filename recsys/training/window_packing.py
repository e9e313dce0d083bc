"""Packs windows of histories into rows on the host, where their lengths are known, so that no device is waited for.

Shape suffixes: W windows, R rows, C positions of a row, M targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

#: Rows are as long as the longest window, rounded up to a multiple of this.
ROW_MULTIPLE = 8

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PackedPositions:
    """Where each position of the packed windows of a step comes from.

    Args:
        positions: place in the histories of the interaction before each position, shape [R, C], int64; that of the
            window's first interaction where the window starts, 0 in padding.
        places: interactions of its window before each position, shape [R, C], int64; 0 in padding.
        windows: window of each position, shape [R, C], int64; W in padding.
        users: of the windows and, last, -1; shape [W + 1], int64.
        predicting: the positions that predict a target, among all R * C; shape [M], int64.
        targets: place of each target in the histories, shape [M], int64.
        target_users: the user of each target, shape [M], int64.
    """

    positions: Tensor
    places: Tensor
    windows: Tensor
    users: Tensor
    predicting: Tensor
    targets: Tensor
    target_users: Tensor


def pack_windows(
    users: Ints, starts: Ints, lengths: Ints, continued: npt.NDArray[np.bool_], device: torch.device
) -> PackedPositions:
    """Pack the windows of a step into as few rows as best fit decreasing finds.

    Everything is computed on the host and copied at once, from pinned memory where the device is a GPU.

    Args:
        users: of each window, shape [W].
        starts: place in the histories of the first interaction of each window, shape [W].
        lengths: interactions of each window, at least 1; shape [W].
        continued: whether the first interaction of a window is a target in the one before it, shape [W].
        device: where the result is put.
    """
    row_length = -(-int(lengths.max()) // ROW_MULTIPLE) * ROW_MULTIPLE
    slots = first_slots(lengths, row_length)
    num_rows = int(slots.max()) // row_length + 1
    window = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(window)) - np.repeat(lengths.cumsum() - lengths, lengths)
    slot = slots[window] + place
    after = starts[window] + place
    is_target = (place > 0) | ~continued[window]

    def spread(values: Ints, padding: int) -> Ints:
        filled = np.full(num_rows * row_length, padding, dtype=np.int64)
        filled[slot] = values
        return filled

    parts = (
        spread(np.maximum(after - 1, starts[window]), 0),
        spread(place, 0),
        spread(window, len(lengths)),
        np.append(users, -1),
        slot[is_target],
        after[is_target],
        users[window][is_target],
    )
    together = torch.from_numpy(np.concatenate(parts))
    if device.type == "cuda":
        together = together.pin_memory()
    columns = together.to(device, non_blocking=True).split([len(part) for part in parts])
    grid = (num_rows, row_length)
    return PackedPositions(*(column.view(grid) for column in columns[:3]), *columns[3:])


def first_slots(lengths: Ints, row_length: int) -> Ints:
    """Where each window starts when all rows stand one after the other, by best fit decreasing.

    The longest windows come first, each into the row that it leaves the least room in (Johnson et al.: Worst-Case
    Performance Bounds for Simple One-Dimensional Packing Algorithms, 1974).

    Args:
        lengths: of the windows, from 1 to ``row_length``; shape [W].
        row_length: positions of a row, C.

    Returns:
        Shape [W], int64.
    """
    slots = np.empty(len(lengths), dtype=np.int64)
    # The rows with a given room left, and a bit for each room that some row has: the lowest set bit is the best fit.
    rows_by_room: list[list[int]] = [[] for _ in range(row_length + 1)]
    rooms = num_rows = 0
    order = np.argsort(-lengths, kind="stable")
    for window, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        fitting = rooms >> length << length
        if fitting:
            room = (fitting & -fitting).bit_length() - 1
            row = rows_by_room[room].pop()
            if not rows_by_room[room]:
                rooms ^= 1 << room
        else:
            room, row, num_rows = row_length, num_rows, num_rows + 1
        slots[window] = row * row_length + row_length - room
        if room > length:
            rows_by_room[room - length].append(row)
            rooms |= 1 << (room - length)
    return slots
