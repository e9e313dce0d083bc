import pytest
import torch
from omegaconf import DictConfig

from recsys.cli.configuration import compose_config
from recsys.data.feedback_view import FeedbackView
from recsys.errors import ModelError
from recsys.runs.assembly import build_model, build_split
from recsys.runs.model_fitting import ModelFitter
from tests.models.board_data import prepared_board

SMALL = ["name=board", "seed=1", "trainer.accelerator=cpu", "trainer.max_epochs=2", "split=leave_last_out"]


def config(*overrides: str) -> DictConfig:
    return compose_config("train", [*SMALL, *overrides])


def fitter(settings: DictConfig, *arguments, **options) -> ModelFitter:
    view = FeedbackView.implicit(prepared_board())
    return ModelFitter(settings, view, build_split(settings, view.interactions), *arguments, **options)


def fresh(settings: DictConfig) -> torch.nn.Module:
    return build_model(settings.model, 1, prepared_board())


def test_a_model_that_is_fitted_at_once_has_no_epochs():
    settings = config("model=ease")
    report = fitter(settings).fit(fresh(settings))
    assert (report.epochs, report.best_epoch, report.best_value) == ([], 0, None)


def test_each_epoch_is_printed_and_told():
    settings = config("model=mf", "model.embedding_dim=4")
    lines, told = [], []
    report = fitter(
        settings, print_line=lines.append, listener=lambda epoch, metrics: told.append((epoch, metrics))
    ).fit(fresh(settings))
    assert len(lines) == 2
    assert [epoch for epoch, _ in told] == [1, 2]
    assert report.best_value == max(metrics["valid/ndcg@10"] for _, metrics in told)


def test_what_was_trained_to_its_end_is_read_back(tmp_path):
    settings = config("model=mf", "model.embedding_dim=4")
    first, again = fresh(settings), fresh(settings)
    fitter(settings, tmp_path).fit(first)
    lines: list[str] = []
    fitter(settings, tmp_path, lines.append).fit(again)
    assert lines == []
    for name, weights in first.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])


def test_towers_are_trained_alone_first_and_are_not_told(tmp_path):
    settings = config(
        "model=neumf",
        "model.embedding_dim=4",
        "model.mlp_embedding_dim=4",
        "model.hidden_dims=[4]",
        "pretraining={gmf: {trainer: {max_epochs: 1}}, mlp: {}}",
    )
    lines, told = [], []
    fitter(settings, tmp_path, lines.append, lambda epoch, _: told.append(epoch)).fit(fresh(settings))
    starts = [line for line in lines if line.startswith(("pre-training", "training"))]
    assert starts == ["pre-training the gmf tower", "pre-training the mlp tower", "training the whole network"]
    assert told == [1, 2]
    assert (tmp_path / "gmf" / "last.ckpt").is_file() and (tmp_path / "last.ckpt").is_file()


def test_pretraining_of_a_model_without_towers_is_refused():
    settings = config("model=mf", "pretraining={gmf: {}}")
    with pytest.raises(ModelError, match="MF has none"):
        fitter(settings).fit(fresh(settings))
