from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig

from recsys.cli.configuration import compose_config
from recsys.data.feedback_view import FeedbackView
from recsys.errors import ModelError, RecsysError
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.models.hybrid import Hybrid
from recsys.models.layers.ranker_networks import LinearBlend
from recsys.models.mf import MF
from recsys.runs.assembly import build_model
from recsys.runs.model_fitting import ModelFitter
from recsys.training.candidate_selection import UniformCandidates
from recsys.training.fitting import fit
from recsys.training.listwise import ListwiseModule
from recsys.training.listwise_losses import ListSoftmax
from recsys.training.stacking import CandidateLists, stack
from recsys.training.stacking_folds import RandomFolds
from tests.models.board_data import board_split, prepared_board
from tests.models.small_data import small_data

CONFIGS = Path(__file__).parents[2] / "configs"
GIVEN: dict[str, Any] = {
    "batch_size": 4,
    "optimizer": partial(torch.optim.Adam, lr=0.05),
    "listwise_loss": ListSoftmax(),
    "seed": 1,
}


def network() -> Hybrid:
    sources = {"ease": partial(EASE, recency=Recency(), l2=5.0), "other": partial(EASE, recency=Recency(), l2=500.0)}
    return Hybrid(30, 12, sources, LinearBlend)


def lists() -> CandidateLists:
    data = small_data()

    def fit_sources(sources, held_out, place):
        for source in sources.values():
            source.fit(data.take(np.setdiff1d(np.arange(len(data)), held_out)))

    return stack(network(), data, RandomFolds(4, 1), UniformCandidates(5), fit_sources, torch.device("cpu"), 0)


def test_only_the_ranker_is_trained(tmp_path):
    model = network()
    mf = MF(30, 12, embedding_dim=3)
    model.sources["mf"] = mf  # as a source with parameters of its own
    before = mf.user_vectors.weight.clone()
    module = ListwiseModule(model, small_data(), lists=lists(), **GIVEN)
    weights = model.ranker.weights.clone()
    trainer = partial(pl.Trainer, accelerator="cpu", devices=1, max_epochs=2)
    fit(module, trainer, tmp_path, monitor=None)
    assert not model.ranker.weights.equal(weights)
    assert mf.user_vectors.weight.equal(before)


def test_popular_negatives_count_more_by_the_exponent():
    def log_weights(exponent: float) -> torch.Tensor:
        module = ListwiseModule(network(), small_data(), lists=found, exposure_exponent=exponent, **GIVEN)
        loader = module.train_dataloader()
        return loader.columns[3]

    found = lists()
    negative = found.present & ~found.relevant
    assert log_weights(0.0)[negative].abs().max() < 1e-6
    assert log_weights(0.5)[~negative].isneginf().all()
    counts = torch.from_numpy(np.bincount(small_data().item_index, minlength=12) + 1.0)[found.items]
    weights = log_weights(0.5).exp()
    for row in range(len(found)):
        inside = negative[row]
        expected = counts[row, inside].sqrt() / counts[row, inside].sqrt().mean()
        torch.testing.assert_close(weights[row, inside].double(), expected, rtol=1e-4, atol=1e-6)


def test_another_model_and_missing_lists_are_refused():
    with pytest.raises(ModelError, match="needs a model that is RanksCandidates, but MF is not"):
        ListwiseModule(MF(30, 12, embedding_dim=3), small_data(), **GIVEN)
    with pytest.raises(RecsysError, match="needs lists"):
        ListwiseModule(network(), small_data(), **GIVEN)


def board_config(*overrides: str) -> DictConfig:
    settings = ["model=hybrid", "name=board", "seed=1"]
    if not any(override.startswith("training=") for override in overrides):
        settings += ["training=listwise", "candidate_selector=uniform"]
    return compose_config("train", overrides=[*settings, "trainer.accelerator=cpu", "trainer.max_epochs=2", *overrides])


def fit_board(config: DictConfig, directory: Path) -> tuple[torch.nn.Module, list[str]]:
    prepared = prepared_board()
    view = FeedbackView.implicit(prepared)
    model = build_model(config.model, 1, prepared)
    lines: list[str] = []
    split = replace(board_split(view.interactions), valid=np.empty(0, dtype=np.int64))
    ModelFitter(config, view, split, directory / "checkpoints", lines.append).fit(model)
    return model.eval(), lines


def test_sources_that_learn_by_gradient_steps_have_settings_and_checkpoints_of_their_own(tmp_path):
    config = board_config(
        "model/sources=[ease,mf]", "model.sources.mf.embedding_dim=4", "sources_training.mf.trainer.max_epochs=3"
    )
    model, lines = fit_board(config, tmp_path)
    assert sum(line.startswith("epoch 3/3") for line in lines) == 2  # without the fold, and with everything
    assert sum(line.startswith("epoch 2/2") for line in lines) == 1  # the ranker
    for place in ("fold_0", "all"):
        assert (tmp_path / "checkpoints" / "sources" / place / "mf" / "checkpoints" / "last.ckpt").is_file()
    again, lines = fit_board(config, tmp_path)  # resumed: nothing is trained anew
    assert not any(line.startswith("epoch") for line in lines)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value)


def test_a_hybrid_is_trained_on_lists_only(tmp_path):
    config = compose_config("train", ["model=hybrid", "training=full_catalogue", "name=board"])
    with pytest.raises(ModelError, match="training=listwise"):
        fit_board(config, tmp_path)


def test_settings_of_sources_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(ModelError, match="it has slim"):
        fit_board(board_config("+sources_training.slim.trainer.max_epochs=3"), tmp_path)
    with pytest.raises(ModelError, match=r"sources_training\.ease may have training, .*, but it has seed"):
        fit_board(board_config("+sources_training.ease.seed=3"), tmp_path)
