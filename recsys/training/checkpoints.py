"""Checkpoints that are written whole or not at all, and may move with their run directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning.callbacks import ModelCheckpoint


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there when it is complete.

    A process that is killed, or a disk that runs full, in the middle of writing leaves the checkpoint before it intact.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write ``checkpoint`` to ``path``.

        Raises:
            OSError: it could not be written.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.partial")
        try:
            with partial.open("wb") as file:
                torch.save(checkpoint, file)
            os.replace(partial, target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


class PortableCheckpoint(ModelCheckpoint):
    """Remembers the best score when the run directory was moved or renamed.

    ``ModelCheckpoint`` forgets it, since its paths are no longer the same, and lets a worse epoch replace the best.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the state of a checkpoint, with its paths in the directory of today."""
        before, now = str(state_dict["dirpath"]), str(self.dirpath)

        def moved(value: Any) -> Any:
            if isinstance(value, str) and value.startswith(before):
                return now + value.removeprefix(before)
            return {moved(key): moved(entry) for key, entry in value.items()} if isinstance(value, dict) else value

        super().load_state_dict(moved(state_dict))
