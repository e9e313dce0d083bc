import errno
import resource
from pathlib import Path
from typing import Any

import pytest
import torch

from recsys.errors import CheckpointError
from recsys.training.checkpointing.checkpoints import AtomicCheckpointIO, PortableCheckpoint
from tests.training.recipes import mf, run, sampled


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before_it_intact(tmp_path, monkeypatch):
    run(sampled(mf()), tmp_path, max_epochs=1)
    before = (tmp_path / "last.ckpt").read_bytes()
    (tmp_path / "fit.json").unlink()

    def half_written(checkpoint, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("recsys.training.checkpointing.checkpoints.torch.save", half_written)
        run(sampled(mf()), tmp_path, max_epochs=2, resume=True)
    assert (tmp_path / "last.ckpt").read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))
    assert len(run(sampled(mf()), tmp_path, max_epochs=2, resume=True).epochs) == 2


def test_a_checkpoint_is_written_into_a_directory_that_is_made_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "new" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 3}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 3}
    assert list(path.parent.iterdir()) == [path]


def test_a_later_checkpoint_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "last.ckpt"
    for epoch in (1, 2):
        AtomicCheckpointIO().save_checkpoint({"epoch": epoch}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 2}


def test_writing_that_is_broken_off_leaves_no_part_behind(tmp_path, monkeypatch):
    def interrupted(checkpoint, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.training.checkpointing.checkpoints.torch.save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        AtomicCheckpointIO().save_checkpoint({}, tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def state_of(directory: Path) -> dict[str, Any]:
    """The state of a callback whose best epoch had a score of .5."""
    best = str(directory / "best.ckpt")
    return {
        "dirpath": str(directory),
        "best_model_score": torch.tensor(0.5),
        "best_model_path": best,
        "best_k_models": {best: torch.tensor(0.5)},
        "kth_best_model_path": best,
        "kth_value": torch.tensor(0.5),
        "last_model_path": str(directory / "last.ckpt"),
    }


@pytest.mark.parametrize("now", ["run", "renamed"])
def test_the_best_score_is_remembered_wherever_the_run_is(tmp_path, now):
    callback = PortableCheckpoint(tmp_path / now, monitor="valid/ndcg@10", mode="max")
    callback.load_state_dict(state_of(tmp_path / "run"))
    best = str(tmp_path / now / "best.ckpt")
    assert callback.best_model_score == 0.5
    assert callback.best_model_path == callback.kth_best_model_path == best
    assert callback.best_k_models == {best: torch.tensor(0.5)}


def test_paths_elsewhere_stay_as_they_are(tmp_path):
    callback = PortableCheckpoint(tmp_path / "renamed", monitor="valid/ndcg@10", mode="max")
    callback.load_state_dict({**state_of(tmp_path / "run"), "last_model_path": "/elsewhere/last.ckpt"})
    assert callback.last_model_path == "/elsewhere/last.ckpt"


@pytest.fixture
def smaller_files():
    """Sets the largest size of a file in bytes, as a disk that runs full does; undone afterwards."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 60_000, 399_999])
def test_wherever_the_disk_runs_full_it_is_an_error_of_the_disk(tmp_path, smaller_files, size):
    path = tmp_path / "last.ckpt"
    smaller_files(size)
    with pytest.raises(OSError) as refused:  # noqa: PT011  # the number of the error is what counts
        AtomicCheckpointIO().save_checkpoint({"state_dict": {"weights": torch.zeros(100_000)}}, path)
    assert refused.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"half", b"PK\x03\x04 and more", "cut"])
def test_a_damaged_checkpoint_is_told_with_what_to_do(tmp_path, content):
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"state_dict": {"weights": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:2000] if content == "cut" else content)
    with pytest.raises(CheckpointError, match="last.ckpt is damaged .*Delete it, and training goes on"):
        AtomicCheckpointIO().load_checkpoint(path)


def test_the_best_epoch_has_weights_alone_and_the_last_one_all_that_training_goes_on_from(tmp_path):
    run(sampled(mf()), tmp_path, max_epochs=1)
    best, last = (torch.load(tmp_path / name, weights_only=True) for name in ("best.ckpt", "last.ckpt"))
    assert "optimizer_states" not in best and len(last["optimizer_states"]) == 1
    assert best["epoch"] == last["epoch"] == 0
    torch.testing.assert_close(best["state_dict"], last["state_dict"])
    assert (tmp_path / "best.ckpt").stat().st_size < 0.5 * (tmp_path / "last.ckpt").stat().st_size


def test_without_validation_the_last_epoch_is_kept_once(tmp_path):
    run(sampled(mf(), validation=None), tmp_path, max_epochs=1, monitor=None)
    assert [path.name for path in tmp_path.glob("*.ckpt")] == ["last.ckpt"]
