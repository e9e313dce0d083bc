from pathlib import Path

import pytest
from omegaconf import OmegaConf

from recsys.cli.commands import typed_command
from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory
from recsys.runs.sweep import SweepJob, num_jobs, told_how_to_go_on


def job(directory: Path, *overrides: str) -> SweepJob:
    return SweepJob(directory, overrides, 0)


def made_run(parent: Path) -> RunDirectory:
    run = RunDirectory.create(parent, "mf")
    run.save_config(OmegaConf.create({"seed": 1}))
    return run


def test_each_combination_finds_its_own_run_again_in_any_order_of_its_overrides(tmp_path):
    first, second = made_run(tmp_path / "runs"), made_run(tmp_path / "runs")
    job(tmp_path, "model=mf", "seed=1").remember(first)
    job(tmp_path, "model=mf", "seed=2").remember(second)
    found = [job(tmp_path, "seed=1", "model=mf").run, job(tmp_path, "model=mf", "seed=2").run]
    assert [run.path for run in found if run is not None] == [first.path, second.path]
    assert job(tmp_path, "model=mf", "seed=3").run is None


def test_a_run_that_was_deleted_is_made_again(tmp_path):
    run = made_run(tmp_path / "runs")
    job(tmp_path, "seed=1").remember(run)
    run.config_path.unlink()
    assert job(tmp_path, "seed=1").run is None


def test_a_damaged_note_is_refused(tmp_path):
    job(tmp_path, "seed=1").remember(made_run(tmp_path / "runs"))
    (note,) = (tmp_path / "jobs").iterdir()
    note.write_text("{")
    with pytest.raises(RunError, match="is damaged .*Delete it"):
        _ = job(tmp_path, "seed=1").run


def test_the_command_that_goes_on_is_the_one_that_started_it(tmp_path):
    line = job(tmp_path / "sweep").to_go_on(["-m", "model=mf,ease", "name=a b", "sweep=older"])
    assert line == f"{typed_command('train')} -m model=mf,ease 'name=a b' sweep={tmp_path / 'sweep'}"


def test_ctrl_c_is_told_with_what_goes_on_and_goes_on_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["train.py", "-m", "seed=1,2"])
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt), told_how_to_go_on(job(tmp_path, "seed=1"), lines.append):
        raise KeyboardInterrupt
    assert lines == [
        f"sweep: {tmp_path}",
        "\n1/2  seed=1",
        f"to go on with the sweep: {typed_command('train')} -m seed=1,2 sweep={tmp_path}",
    ]
    with pytest.raises(KeyboardInterrupt), told_how_to_go_on(None, lines.append):
        raise KeyboardInterrupt
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["-m", "model=ease,mf", "seed=1,2,3"], 6),
        (["--multirun", "seed=range(1,4)", "evaluation.ks=[5,10]", "name='a,b'"], 3),
        (["-m"], 1),
    ],
)
def test_the_number_of_combinations(arguments, number):
    assert num_jobs(arguments) == number
