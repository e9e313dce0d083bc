"""Checkpoints that are written whole or not at all, and may move with their run directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from recsys.cli.whole_files import whole_file
from recsys.training.ranks.checkpoint_rows import read_checkpoint, remove_old_rows
from recsys.training.reports.fit_report import LAST_CHECKPOINT

ResultT = TypeVar("ResultT")


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
        with whole_file(target) as partial, partial.open("wb") as file:
            watched = _WatchedFile(file)
            try:
                torch.save(checkpoint, watched)  # type: ignore[arg-type]  # all that it needs
            except RuntimeError as error:
                # What PyTorch says of a disk that runs full: "unexpected pos 64 vs 0".
                raise watched.error or error from error
        remove_old_rows(target, checkpoint)

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Read a checkpoint.

        Raises:
            CheckpointError: it is damaged.
        """
        return read_checkpoint(Path(path))


class _WatchedFile:
    """A file that remembers why it could not be written, which PyTorch does not tell.

    Args:
        file: open for writing.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write ``data``."""
        return self._watched(lambda: self._file.write(data))

    def flush(self) -> None:
        """Write what is buffered."""
        self._watched(self._file.flush)

    def _watched(self, action: Callable[[], ResultT]) -> ResultT:
        try:
            return action()
        except OSError as error:
            self.error = self.error or error
            raise


class PortableCheckpoint(ModelCheckpoint):
    """Remembers the best score when the run directory was moved or renamed, and keeps weights alone of the best epoch.

    ``ModelCheckpoint`` forgets the score, since its paths are no longer the same, and lets a worse epoch replace the
    best. Training goes on from the last epoch, so that the optimiser's state, for Adam twice the weights, is there
    alone.
    """

    def _save_checkpoint(self, trainer: Trainer, filepath: str) -> None:
        """Write a checkpoint: all of the last epoch, and the weights of the best."""
        self.save_weights_only = Path(filepath).name != LAST_CHECKPOINT
        super()._save_checkpoint(trainer, filepath)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the state of a checkpoint, with its paths in the directory of today."""
        before, now = str(state_dict["dirpath"]), str(self.dirpath)

        def moved(value: Any) -> Any:
            if isinstance(value, str) and value.startswith(before):
                return now + value.removeprefix(before)
            return {moved(key): moved(entry) for key, entry in value.items()} if isinstance(value, dict) else value

        super().load_state_dict(moved(state_dict))
