"""Wrong settings of every command, each of which must be told with its key before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from recsys.cli.config_check import check_config
from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
from recsys.errors import RecsysError, RunError

#: Values of what must be given.
GIVEN = {"run": "runs/a", "output": "out", "bundle": "bundles/a", "item": "1", "runs": ["a", "b"], "action": "status"}
GIVEN |= {"table": "stock.csv", "interactions": "ratings.csv"}


def composed(command: str, *overrides: str):
    config = compose_config(command, list(overrides), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    OmegaConf.set_struct(config, False)
    del config["hydra"]
    for key in OmegaConf.missing_keys(config):
        OmegaConf.update(config, key, GIVEN[key])
    return config


WRONG = [
    # command, overrides, the message
    ("update", ["drift=3"], "drift.metric, drift.tolerance, but it is 3. Set one"),
    ("update", ["drift=null"], "drift.metric, drift.tolerance, but it is null. Set one"),
    ("train", ["evaluation.ks=10"], "evaluation.ks must be a list of whole numbers, at least 1, but it is 10"),
    ("train", ["evaluation.ks=[0]"], "Each number of evaluation.ks must be at least 1"),
    ("train", ["evaluation.ks=abc"], "evaluation.ks must be a list"),
    ("train", ["evaluation.ks=[]"], "at least one cut-off"),
    ("train", ["evaluation.batch_size=0"], "evaluation.batch_size must be at least 1"),
    ("train", ["evaluation.bootstrap_samples=-1"], "evaluation.bootstrap_samples must be at least 0"),
    ("train", ["evaluation.progress=abc"], "evaluation.progress must be true or false"),
    ("train", ["trainer.max_epochs=0"], "trainer.max_epochs must be at least 1, but it is 0"),
    ("train", ["trainer.max_epochs=abc"], "trainer.max_epochs must be a whole number, at least 1, but"),
    ("train", ["trainer.max_epochs=1.5"], "trainer.max_epochs must be a whole number"),
    ("train", ["trainer.precision=fp16"], "trainer.precision must be auto, 32-true, 64-true"),
    ("train", ["trainer.deterministic=abc"], "trainer.deterministic must be true or false, warn or null"),
    ("train", ["trainer.devices=0"], "trainer.devices must be at least 1"),
    ("train", ["model.dropout=1.5"], "model.dropout must be at least 0 and below 1, but it is 1.5"),
    ("train", ["model.dropout=abc"], "model.dropout must be a number"),
    ("train", ["model.embedding_dim=0"], "model.embedding_dim must be at least 1, but it is 0"),
    ("train", ["model.embedding_dim=abc"], "model.embedding_dim must be a whole number"),
    ("train", ["model.biases=abc"], "model.biases must be true or false"),
    ("train", ["+model.foo=1"], "model has no setting 'foo', but biases"),
    ("train", ["model=ease", "model.l2=abc"], "model.l2 must be a number, but it is abc"),
    ("train", ["model=ease", "model.recency.step_decay=2"], "model.recency.step_decay must be above 0 and at most 1"),
    ("train", ["model=neumf", "model.hidden_dims=8"], "model.hidden_dims must be a list of whole numbers"),
    ("train", ["model=item_knn", "model.num_neighbours=0"], "model.num_neighbours must be at least 1"),
    ("train", ["training.l2=-1"], "training.l2 must be at least 0, but it is -1"),
    ("train", ["training.l2=abc"], "training.l2 must be a number"),
    ("train", ["training.batch_size=0"], "training.batch_size must be at least 1, but it is 0"),
    ("train", ["training.batch_size=abc"], "training.batch_size must be a whole number"),
    ("train", ["training.optimizer.lr=-1"], "training.optimizer.lr must be at least 0"),
    ("train", ["training.optimizer.lr=abc"], "training.optimizer.lr must be a number, at least 0"),
    ("train", ["training.optimizer.lr=nan"], "training.optimizer.lr must be at least 0"),
    ("train", ["training.optimizer.fused=abc"], "training.optimizer.fused must be true or false or null"),
    ("train", ["training.validation_ks=[0]"], "Each number of training.validation_ks must be at least 1"),
    ("train", ["training.validation_ks=10"], "training.validation_ks must be a list of whole numbers"),
    ("train", ["training.negative_sampler.num_negatives=0"], "negative_sampler.num_negatives must be at least 1"),
    ("train", ["training.negative_sampler.reject_known=abc"], "negative_sampler.reject_known must be true or false"),
    ("train", ["training.compile_network=abc"], "training.compile_network must be true or false"),
    ("train", ["training.negative_sampler=abc"], "training.negative_sampler must be a NegativeSampler"),
    ("train", ["training/scheduler=cosine", "training.scheduler.T_max=0"], "training.scheduler.T_max must be"),
    ("train", ["fitting.patience=abc"], "fitting.patience must be a whole number or null"),
    ("train", ["fitting.monitor=5"], "fitting.monitor must be text or null"),
    ("train", ["seed=abc"], "seed must be a whole number, at least 0, but it is abc"),
    ("train", ["seed=-1"], "seed must be at least 0, but it is -1"),
    ("train", ["view=abc"], "view must be implicit, explicit or null, but it is abc"),
    ("train", ["refit=abc"], "refit must be true or false or all, but it is abc"),
    ("train", ["show_users=abc"], "show_users must be a whole number, at least 0, but it is abc"),
    ("train", ["show_users=-1"], "show_users must be at least 0"),
    ("train", ["split=random_ratio", "split.test_ratio=1.5"], "split.test_ratio must be above 0 and below 1"),
    ("train", ["split=random_ratio", "split.by=abc"], "split.by must be user or all"),
    ("train", ["split=random_ratio", "split.test_ratio=0.6", "split.valid_ratio=0.6"], "must be below 1"),
    ("train", ["preparation.invalid_rows=abc"], "preparation.invalid_rows must be error or drop"),
    ("train", ["preparation.positive_threshold=abc"], "preparation.positive_threshold must be a number or null"),
    ("train", ["data=synthetic", "data.num_users=abc"], "data.num_users must be a whole number"),
    ("train", ["data=table", "data.interactions=5"], "data.interactions must be text or null"),
    ("train", ["pretraining=abc"], "pretraining must be a mapping or null"),
    ("train", ["model=neumf", "pretraining={gmf: {trainer: {max_epochs: 0}}}"], "pretraining.gmf.trainer.max_epochs"),
    ("train", ["+sources_training.mf.training.l2=-1"], "sources_training.mf.training.l2 must be at least 0"),
    ("train", ["training=listwise", "stacking_folds.num_folds=1"], "stacking_folds.num_folds must be at least 2"),
    ("train", ["training=listwise", "stacking_folds.num_used=11"], "stacking_folds.num_used from 1 to as many"),
    ("train", ["tracking.uri=5"], "tracking.uri must be text"),
    ("tune", ["trials=0"], "trials must be at least 1, but it is 0"),
    ("tune", ["trials=abc"], "trials must be a whole number"),
    ("tune", ["direction=abc"], "direction must be maximize, minimize or null"),
    ("tune", ["validation=abc"], "validation must be split or sampled_negatives"),
    ("cross_validate", ["folds=1"], "folds must be at least 2, but it is 1"),
    ("cross_validate", ["split.valid_ratio=2"], "split.valid_ratio must be at least 0 and below 1"),
    ("cold_start", ["num_fold_in=[-1]"], "Each number of num_fold_in must be at least 0"),
    ("cold_start", ["num_fold_in=3"], "num_fold_in must be a list of whole numbers"),
    ("cold_start", ["k=0"], "k must be at least 1, but it is 0"),
    ("simulate_elicitation", ["questions=[0]"], "Each number of questions must be at least 1"),
    ("simulate_elicitation", ["stage=abc"], "stage must be valid or test"),
    ("elicit", ["k=0"], "k must be at least 1"),
    ("elicit", ["num_components=abc"], "num_components must be a whole number"),
    ("evaluate", ["stage=abc"], "stage must be valid or test"),
    ("evaluate", ["save_per_user=abc"], "save_per_user must be true or false"),
    ("evaluate_pipeline", ["diversity=abc"], "diversity must be mmr, calibrated or null"),
    ("evaluate_pipeline", ["diversity_weight=2"], "diversity_weight must be from 0 to 1"),
    ("evaluate_pipeline", ["num_candidates=abc"], "num_candidates must be a whole number"),
    ("compare", ["k=abc"], "k must be a whole number"),
    ("compare", ["alpha=2"], "alpha must be from 0 to 1"),
    ("export", ["storage=abc"], "storage must be float32, float16 or int8"),
    ("export", ["recall_target=0"], "recall_target must be above 0 and at most 1"),
    ("export_triton", ["instances=0"], "instances must be at least 1"),
    ("promote", ["version=abc"], "version must be a whole number or null"),
    ("triton_server", ["action=abc"], "action must be start, status, stop or serve"),
    ("triton_server", ["http_port=70000"], "http_port must be from 1 to 65535"),
    ("benchmark_models", ["models=ease"], "models must be a list of texts or null"),
    ("prepare", ["preparation.min_user_interactions=0"], "preparation.min_user_interactions must be at least 1"),
    ("query_triton", ["protocol=abc"], "protocol must be grpc or http"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "overrides", "message"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_a_wrong_setting_is_told_with_its_key(command, overrides, message):
    with pytest.raises(RecsysError) as refused:
        check_config(command, composed(command, *overrides))
    assert message in str(refused.value)


COMMANDS = sorted(path.stem for path in CONFIG_DIRECTORY.glob("*.yaml"))


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_comes_with_is_right(command):
    check_config(command, composed(command))


@pytest.mark.parametrize("experiment", sorted(path.stem for path in (CONFIG_DIRECTORY / "experiment").glob("*.yaml")))
def test_what_an_experiment_sets_is_right(experiment):
    check_config("train", composed("train", f"experiment={experiment}", "data.root=."))


def test_what_is_required_and_was_not_given_is_told():
    with pytest.raises(RunError, match=r"run is required, but it was not given. Add run=..."):
        check_config("evaluate", compose_config("evaluate"))


def test_a_constructor_that_does_not_exist_is_told():
    with pytest.raises(RunError, match=r"model._target_ must name a class or a function, but recsys.models.mf.MG"):
        check_config("train", composed("train", "model._target_=recsys.models.mf.MG"))


def test_the_check_makes_nothing(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_config("train", composed("train"))
    assert list(tmp_path.iterdir()) == []
