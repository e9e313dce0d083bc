import signal
from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl

from recsys.errors import RunError
from recsys.training.trainer_run import check_trainer, run_trainer
from tests.training.recipes import mf, sampled

TRAINER = partial(pl.Trainer, max_epochs=3, accelerator="cpu", devices=1)


def test_it_returns_the_epochs_and_the_best_value_and_leaves_the_weights_of_the_last_epoch(tmp_path: Path):
    module, lines, heard = sampled(mf()), [], []
    epochs, best = run_trainer(
        module,
        TRAINER,
        tmp_path,
        "best.ckpt",
        "valid/ndcg@10",
        patience=None,
        resume=False,
        print_line=lines.append,
        listener=lambda epoch, metrics: heard.append(epoch),
        progress_bar=False,
        shard_embeddings=False,
    )
    assert [row["epoch"] for row in epochs] == heard == [1, 2, 3]
    assert len(lines) == 4  # what a batch counts, and each epoch
    assert best == pytest.approx(max(row["valid/ndcg@10"] for row in epochs))
    assert {path.name for path in tmp_path.iterdir()} == {"best.ckpt", "last.ckpt"}


def test_without_validation_there_is_no_best_value(tmp_path: Path):
    module = sampled(mf(), validation=None)
    epochs, best = run_trainer(module, TRAINER, tmp_path, "best.ckpt", None, None, False, None, None, False, False)
    assert (len(epochs), best) == (3, None)


def test_an_interrupt_is_one_and_its_handler_is_put_back(tmp_path: Path):
    """Lightning makes a SystemExit of it."""
    before = signal.getsignal(signal.SIGINT)

    def interrupt(line: str) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_trainer(sampled(mf()), TRAINER, tmp_path, "best.ckpt", None, None, False, interrupt, None, False, False)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_trainer_that_refuses_its_settings_is_told_by_its_key():
    check_trainer(TRAINER)
    with pytest.raises(RunError, match=r"The trainer refuses its settings .* Correct trainer.\*"):
        check_trainer(partial(TRAINER, precision="17-odd"))


@pytest.mark.parametrize(("name", "value"), [("gradient_clip_val", 0.5), ("accumulate_grad_batches", 2)])
def test_a_trainer_that_is_to_change_gradients_is_refused_with_what_to_do(name: str, value: float):
    check_trainer(partial(TRAINER, **{name: None if name == "gradient_clip_val" else 1}))
    message = rf"trainer\.{name} must be left out, as steps do not heed it, but is {value}\. Leave it out; "
    with pytest.raises(RunError, match=message):
        check_trainer(partial(TRAINER, **{name: value}))
