import pytest
import torch
from omegaconf import OmegaConf

from recsys.distributed.ranks import Ranks, set_ranks
from recsys.errors import RunError
from recsys.runs.device import accelerator, available_accelerator, training_device


def config(asked: object, devices: object = 1):
    return OmegaConf.create({"trainer": {"accelerator": asked, "devices": devices}})


@pytest.mark.parametrize(
    ("asked", "available", "expected"),
    [("auto", False, "cpu"), ("auto", True, "gpu"), ("cpu", True, "cpu"), ("gpu", True, "gpu"), ("cuda", True, "gpu")],
)
def test_a_gpu_is_used_where_there_is_one_and_it_may_be(monkeypatch, asked, available, expected):
    monkeypatch.setattr("torch.cuda.is_available", lambda: available)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert accelerator(config(asked)) == expected
    assert training_device(config(asked)) == (torch.device("cuda", 0) if expected == "gpu" else torch.device("cpu"))


@pytest.mark.parametrize("asked", ["gpu", "cuda", "mps", "tpu"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, asked):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RunError, match=f"auto, cpu or gpu, and there is no CUDA GPU; it is {asked}"):
        accelerator(config(asked))


def test_more_devices_than_processes_are_refused():
    with pytest.raises(RunError, match="one device, but trainer.devices=2 and trainer.num_nodes=1"):
        accelerator(config("cpu", 2))


def test_more_gpus_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(RunError, match="trainer.devices=2 needs as many GPUs, but there are 1"):
        available_accelerator(config("gpu", 2))


def test_each_process_of_a_training_has_its_own_device(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    set_ranks(Ranks(1, 2, 1, 2))
    try:
        assert training_device(config("gpu", 2)) == torch.device("cuda", 1)
    finally:
        set_ranks(Ranks())
