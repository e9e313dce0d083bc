import pytest
from omegaconf import OmegaConf

from recsys.cli.configuration import compose_config
from recsys.errors import RunError
from recsys.runs.starting import interrupted_run, new_run, resolved, started


@pytest.fixture
def config(tmp_path):
    return compose_config("train", ["name=x", f"paths.runs_dir={tmp_path}", "trainer.max_epochs=5"])


def test_a_new_run_keeps_the_resolved_configuration(config):
    whole, run = started(config, ["name=x"])
    assert run is None
    assert whole.training.seed == config.seed
    kept = OmegaConf.load(new_run(whole).config_path)
    assert kept == whole and not OmegaConf.is_interpolation(kept.training, "seed")


def test_an_interrupted_run_is_gone_on_with_by_its_own_settings(config):
    run = new_run(resolved(config))
    again = compose_config("train", ["name=y", f"resume={run.path}", "trainer.max_epochs=9"])
    kept, found = started(again, [f"resume={run.path}", "trainer.max_epochs=9"])
    assert found is not None and found.path == run.path
    assert (kept.name, kept.trainer.max_epochs) == ("x", 9)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=7", "With resume only values of trainer, fitting"),
        ("trainer={max_epochs: 3}", "With resume only values"),
        ("trainer.max_epoch=3", "The run has no setting 'trainer.max_epoch'"),
        ("trainer.max_epochs=0", "trainer.max_epochs must be at least 1"),
    ],
)
def test_what_would_change_the_past_or_is_wrong_is_refused(config, override, message):
    run = new_run(resolved(config))
    with pytest.raises(RunError, match=message):
        interrupted_run(run.path, [override])


def test_a_run_of_an_earlier_version_is_refused(config):
    whole = resolved(config)
    del whole["sources_training"]
    run = new_run(whole)
    with pytest.raises(RunError, match="was written by an earlier version of recsys"):
        interrupted_run(run.path, [])


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="An interrupted run is required"):
        interrupted_run(tmp_path / "nowhere", [])
