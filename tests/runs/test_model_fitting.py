import gc

import pytest
import torch
from omegaconf import DictConfig

from recsys.cli.configuration import compose_config
from recsys.data.feedback_view import FeedbackView
from recsys.distributed.ranks import Ranks, set_ranks
from recsys.errors import ModelError, RecsysError, RunError
from recsys.runs import model_fitting
from recsys.runs.assembly import build_model, build_split
from recsys.runs.model_fitting import ModelFitter
from recsys.training.module import RecommenderModule
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


def test_that_a_model_divides_no_work_among_processes_is_told():
    settings = config("model=popularity", "trainer.devices=2")
    lines = []
    set_ranks(Ranks(0, 2, 0, 2))
    try:
        fitter(settings, print_line=lines.append).fit(fresh(settings))
    finally:
        set_ranks(Ranks())
    assert lines == ["Popularity divides no work: each of 2 processes fitted all of it"]


def test_closed_form_has_no_tables_to_divide():
    settings = config("model=ease", "trainer.shard_embeddings=true")
    with pytest.raises(RunError, match="trainer.shard_embeddings=true divides tables .* but EASE has none"):
        fitter(settings).check(fresh(settings))


def test_each_epoch_is_printed_and_told():
    settings = config("model=mf", "model.embedding_dim=4")
    lines, told = [], []
    report = fitter(
        settings, print_line=lines.append, listener=lambda epoch, metrics: told.append((epoch, metrics))
    ).fit(fresh(settings))
    assert lines[0].startswith("a step takes 2,048 positives, 10,240 samples")
    assert len(lines) == 3
    assert [epoch for epoch, _ in told] == [1, 2]
    assert report.best_value == max(metrics["valid/ndcg@10"] for _, metrics in told)


def test_of_many_interactions_nothing_is_kept_after_the_training(monkeypatch):
    monkeypatch.setattr(model_fitting, "_MANY_INTERACTIONS", 0)
    settings = config("model=mf", "model.embedding_dim=4")
    model = fresh(settings)
    gc.collect()
    gc.disable()
    try:
        fitter(settings).fit(model)
        assert not [thing for thing in gc.get_objects() if issubclass(type(thing), RecommenderModule)]
    finally:
        gc.enable()


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


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (["model=mf", "training=none"], ModelError, "MF learns by gradient steps, but training=none"),
        (["model=two_tower", "training=sampled_negatives"], ModelError, "needs a model that is"),
        (["model=hybrid", "training=full_catalogue"], ModelError, "training=listwise"),
        (["model=hybrid", "+sources_training.slim.trainer.max_epochs=3"], ModelError, "it has slim"),
        (["model=mf", "fitting.monitor=valid/ndcg@20"], RunError, "fitting.monitor must be one of"),
        (["model=mf", "training/optimizer=sgd", "+training.optimizer.nesterov=true"], RecsysError, "Nesterov"),
        (["model=mf", "trainer.precision=transformer-engine"], RunError, "The trainer refuses its settings"),
        (["model=mf", "trainer.accelerator=tpu"], RunError, "must be auto, cpu or gpu"),
        (["model=neumf", "pretraining={gmf: {}}"], ModelError, "settings for each tower"),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_the_fit(overrides, error, message):
    settings = config(*overrides)
    with pytest.raises(error, match=message):
        fitter(settings).check(fresh(settings))


@pytest.mark.parametrize("overrides", [["model=ease"], ["model=mf"], ["model=two_tower"], ["model=hybrid"]])
def test_what_can_be_fitted_passes_unchanged(overrides):
    settings = config(*overrides)
    model = fresh(settings)
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    fitter(settings).check(model)
    assert all(torch.equal(weights, before[name]) for name, weights in model.named_parameters())


def test_what_is_monitored_does_not_matter_without_validation():
    settings = config("model=mf", "fitting.monitor=valid/ndcg@20", "refit=true")
    fitter(settings).check(fresh(settings))
