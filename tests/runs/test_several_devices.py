import pytest
from omegaconf import OmegaConf

from recsys.distributed.ranks import Ranks, ranks, set_ranks
from recsys.errors import RunError
from recsys.runs import several_devices
from recsys.runs.several_devices import (
    SilentRunDirectory,
    is_main,
    joined_training,
    lost_to_watcher,
    shared_run,
    start_ranks,
    tracker_of,
)
from recsys.runs.tracking import NoTracker


@pytest.fixture(autouse=True)
def started_by_a_user(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def config(devices: int = 1, num_nodes: int = 1):
    return OmegaConf.create({"trainer": {"accelerator": "cpu", "devices": devices, "num_nodes": num_nodes}})


def by_torchrun(monkeypatch, size: int) -> None:
    for name, value in {"RANK": 0, "WORLD_SIZE": size, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": size}.items():
        monkeypatch.setenv(name, str(value))


def test_one_device_is_this_process(monkeypatch):
    assert not start_ranks("train", config(), is_sweep=False)
    with joined_training(config()):
        assert ranks() == Ranks() and is_main()


def test_several_are_started_once(monkeypatch):
    asked = []
    monkeypatch.setattr(several_devices, "run_ranks", lambda *arguments: asked.append(arguments) or 0)
    monkeypatch.setattr("sys.argv", ["train.py", "model=mf", "trainer.devices=2"])
    assert start_ranks("train", config(2), is_sweep=False)
    assert asked == [("train", ["model=mf", "trainer.devices=2"], 2, 1)]
    by_torchrun(monkeypatch, 2)
    assert not start_ranks("train", config(2), is_sweep=False)


def test_a_status_of_theirs_is_that_of_the_command(monkeypatch):
    monkeypatch.setattr(several_devices, "run_ranks", lambda *arguments: 2)
    with pytest.raises(SystemExit) as end:
        start_ranks("train", config(2), is_sweep=False)
    assert end.value.code == 2


def test_a_sweep_of_several_is_refused():
    with pytest.raises(RunError, match="A sweep trains on one device at a time, but trainer.devices=2"):
        start_ranks("train", config(2), is_sweep=True)


def test_far_more_than_there_are_processors_are_refused(monkeypatch):
    monkeypatch.setattr(several_devices, "usable_cpus", lambda: 2)
    with pytest.raises(RunError, match="trainer.devices=9 would start .* 2 processors, and more than 8 processes"):
        start_ranks("train", config(9), is_sweep=False)


def test_as_many_as_torchrun_has_started_are_required(monkeypatch):
    by_torchrun(monkeypatch, 4)
    with pytest.raises(RunError, match="trainer.devices=2 .* need as many processes, but there are 4 on each of 1"):
        with joined_training(config(2)):
            raise AssertionError("nothing is joined")


def test_only_rank_0_writes_into_the_run_directory(tmp_path):
    set_ranks(Ranks(1, 2, 1, 2))
    try:
        run = SilentRunDirectory(tmp_path)
        run.save_model(None)
        run.save_metrics({"x": 1.0})
        run.save_history([{"epoch": 1}], "title")
        run.finish(None, None)
        assert run.metrics() == {}
        assert list(tmp_path.iterdir()) == []
        assert not is_main()
        assert isinstance(tracker_of(config()), NoTracker)
    finally:
        set_ranks(Ranks())


def test_a_run_that_is_gone_on_with_stays_the_one(tmp_path):
    run = several_devices.RunDirectory(tmp_path)
    assert shared_run(config(), run) is run


def test_that_another_has_ended_is_told_by_whoever_watches(monkeypatch):
    lost = RuntimeError("Connection closed by peer")
    assert not lost_to_watcher(lost)
    monkeypatch.setenv("RECSYS_RANKS_NOTE", "somewhere")
    assert lost_to_watcher(lost)
    assert not lost_to_watcher(KeyboardInterrupt())
