"""Checkpoints of tables whose rows are divided among ranks.

A checkpoint is the file that it always is, beside a directory with a file of each rank, that has its rows of the
tables and of what the optimiser keeps of them. Whoever opens it reads the rows that it needs: it may be opened by any
number of ranks, and by one process that has whole tables. The files are safetensors: PyTorch's own form of such
checkpoints has an index that is a pickle, which may run anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from recsys.cli.whole_files import whole_file
from recsys.errors import CheckpointError
from recsys.training.checkpointing.checkpoint_errors import checkpoint_errors

#: What a checkpoint says of rows that are beside it: their directory, and the rows of each whole table by its key.
ROWS = "rows"

#: Where the weights and the optimisers' states stand in a checkpoint.
WEIGHTS, OPTIMIZERS = "state_dict", "optimizer_states"

_REMEDY = "Delete {}, and training goes on from what else there is, or from the start."


def whole(num_rows: int) -> slice:
    """All of so many rows."""
    return slice(0, num_rows)


def read_checkpoint(path: Path, part: Callable[[int], slice] = whole) -> dict[str, Any]:
    """Read a checkpoint of any number of ranks.

    Args:
        path: of the checkpoint.
        part: gives the rows that are wanted of tables whose rows were divided, among so many.

    Raises:
        CheckpointError: it is damaged, or rows are missing.
    """
    with checkpoint_errors(path):
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    said = checkpoint.pop(ROWS, None)
    if said is not None:
        # Only its last part: a directory elsewhere is none of this checkpoint's.
        directory = path.with_name(Path(said["directory"]).name)
        files = sorted(directory.glob("*.safetensors"), key=lambda file: int(file.stem))
        for key, num_rows in said["rows"].items():
            place, name = _place(checkpoint, key)
            place[name] = _read(files, key, part(num_rows), num_rows, path)
    return checkpoint


def write_rows(path: Path, epoch: int, rank: int, size: int, blocks: Mapping[str, Tensor]) -> str:
    """Write the rows of a rank.

    Args:
        path: where the checkpoint is going to be.
        epoch: of the checkpoint.
        rank: whose rows they are.
        size: how many ranks there are.
        blocks: rows of each table by its key.

    Returns:
        The name of the directory.
    """
    directory = path.with_name(f"{path.name}.{ROWS}-{epoch}-of-{size}")
    directory.mkdir(parents=True, exist_ok=True)
    with whole_file(directory / f"{rank}.safetensors") as partial:
        save_file({key: block.detach().cpu().contiguous() for key, block in blocks.items()}, partial)
    return directory.name


def remove_old_rows(path: Path, checkpoint: Mapping[str, Any]) -> None:
    """Remove the rows of checkpoints that were at ``path`` before ``checkpoint``, which is there now."""
    kept = checkpoint.get(ROWS, {}).get("directory")
    for directory in path.parent.glob(f"{path.name}.{ROWS}-*"):
        if directory.name != kept:
            shutil.rmtree(directory, ignore_errors=True)


def _place(checkpoint: dict[str, Any], key: str) -> tuple[Any, Any]:
    kind, _, rest = key.partition("/")
    if kind == WEIGHTS:
        return checkpoint[WEIGHTS], rest
    place, number, name = rest.split("/")
    return checkpoint[OPTIMIZERS][int(place)]["state"][int(number)], name


def _read(files: list[Path], key: str, wanted: slice, num_rows: int, path: Path) -> Tensor:
    """Rows of a table from the files of all ranks that wrote it, one after the other."""
    parts: list[Tensor] = []
    first, shape = 0, [0]
    try:
        for file in files:
            with safe_open(file, framework="pt") as opened:
                rows = opened.get_slice(key)
                count = rows.get_shape()[0]
                start, stop = max(wanted.start - first, 0), min(wanted.stop - first, count)
                shape = rows.get_shape()
                if start < stop:
                    parts.append(rows[start:stop])
                first += count
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"Rows beside {path} cannot be read ({error}). {_REMEDY.format(path)}") from error
    if first != num_rows:
        raise CheckpointError(
            f"{num_rows:,} rows of {key} are required beside {path}, but there are {first:,}. {_REMEDY.format(path)}"
        )
    return torch.cat(parts) if parts else torch.empty(0, *shape[1:])
