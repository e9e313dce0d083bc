import pickle
from pathlib import Path

import pytest
import torch

from recsys.errors import CheckpointError
from recsys.training.checkpointing.checkpoint_errors import checkpoint_errors


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (pickle.UnpicklingError("what a pickle is\nand more"), r"\(what a pickle is\)"),
        (EOFError(), r"\(EOFError\)"),
        (KeyError("state_dict"), r"\('state_dict'\)"),
    ],
)
def test_a_damaged_checkpoint_is_told_with_what_to_do(error, told):
    with (
        pytest.raises(CheckpointError, match=rf"last.ckpt is damaged {told}. Delete it") as refused,
        checkpoint_errors(Path("last.ckpt")),
    ):
        raise error
    assert refused.value.__cause__ is error


def test_an_error_of_the_disk_stays_what_it_is():
    with pytest.raises(PermissionError), checkpoint_errors(Path("last.ckpt")):
        raise PermissionError


def test_a_checkpoint_that_breaks_off_is_damaged(tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save({"weights": torch.zeros(10_000)}, path)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(CheckpointError, match="last.ckpt is damaged"), checkpoint_errors(path):
        torch.load(path, weights_only=True)
