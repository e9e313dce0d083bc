import pytest

from recsys.cli.configuration import CONFIG_DIRECTORY
from recsys.cli.settings.renamed_keys import (
    CHOICES,
    COMMAND_KEYS,
    OPTIONS,
    TRAINING_COMMANDS,
    TRAINING_KEYS,
    check_renamed,
)
from recsys.errors import RunError


@pytest.mark.parametrize(
    ("command", "argument", "new"),
    [
        ("train", "optimizer=adam", "training/optimizer"),
        ("train", "optimizer.lr=0.1", "training.optimizer.lr"),
        ("train", "++optimizer.lr=0.1", "training.optimizer.lr"),
        ("tune", "loss=bpr", "training/loss"),
        ("train", "negatives.num_negatives=4", "training.negative_sampler.num_negatives"),
        ("train", "candidates=uniform", "candidate_selector"),
        ("train", "label_folds.num_folds=3", "stacking_folds.num_folds"),
        ("train", "source_training.mf.trainer.max_epochs=3", "sources_training.mf.trainer.max_epochs"),
        ("train", "model.gaps=true", "model.time_gaps"),
        ("train", "model.recency.per_step=0.9", "model.recency.step_decay"),
        ("cold_start", "given=[1,3]", "num_fold_in"),
        ("evaluate_pipeline", "strengths=[0]", "diversity_weights"),
        ("benchmark_models", "tested_against=ease", "baseline"),
    ],
)
def test_a_key_of_the_version_before_is_answered_with_the_new_one(command, argument, new):
    with pytest.raises(RunError) as told:
        check_renamed(command, [argument])
    assert f"is called {new!r} now" in str(told.value)
    assert repr(argument) in str(told.value)


@pytest.mark.parametrize(("old", "new"), CHOICES.items())
def test_so_is_a_choice(old, new):
    with pytest.raises(RunError, match=f"{old!r} is called {new!r} now"):
        check_renamed("train", [old])
    group, _, name = new.partition("=")
    assert (CONFIG_DIRECTORY / group / f"{name}.yaml").is_file()


@pytest.mark.parametrize(
    ("command", "argument", "new"),
    [("compare", "--metric", "metric"), ("compare", "--k=20", "k"), ("triton_server", "--http-port", "http_port")],
)
def test_so_is_an_option(command, argument, new):
    with pytest.raises(RunError, match=f"is a setting now. Write {new}=VALUE instead"):
        check_renamed(command, [argument])


@pytest.mark.parametrize(
    "argument", ["model.sources.ials.embedding_dim=3", "losses=1", "training/loss=bpr", "given=[1]", "-m", "--cfg"]
)
def test_other_arguments_pass(argument):
    check_renamed("train", [argument])


def test_every_command_of_the_tables_exists():
    commands = {path.stem for path in CONFIG_DIRECTORY.glob("*.yaml")}
    assert {*TRAINING_COMMANDS, *COMMAND_KEYS, *OPTIONS} <= commands


@pytest.mark.parametrize("new", [new for new in TRAINING_KEYS.values() if "/" in new])
def test_every_new_group_exists(new):
    assert (CONFIG_DIRECTORY / new).is_dir()
