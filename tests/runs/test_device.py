import pytest
import torch
from omegaconf import OmegaConf

from recsys.errors import RunError
from recsys.runs.device import accelerator, training_device


def config(asked: object, devices: object = 1):
    return OmegaConf.create({"trainer": {"accelerator": asked, "devices": devices}})


@pytest.mark.parametrize(
    ("asked", "available", "expected"),
    [("auto", False, "cpu"), ("auto", True, "gpu"), ("cpu", True, "cpu"), ("gpu", True, "gpu"), ("cuda", True, "gpu")],
)
def test_a_gpu_is_used_where_there_is_one_and_it_may_be(monkeypatch, asked, available, expected):
    monkeypatch.setattr("torch.cuda.is_available", lambda: available)
    assert accelerator(config(asked)) == expected
    assert training_device(config(asked)) == torch.device("cuda" if expected == "gpu" else "cpu")


@pytest.mark.parametrize("asked", ["gpu", "cuda", "mps", "tpu"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, asked):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RunError, match=f"auto, cpu or gpu, and there is no CUDA GPU; it is {asked}"):
        accelerator(config(asked))


def test_more_than_one_device_is_refused():
    with pytest.raises(RunError, match="runs on one device, but trainer.devices=2"):
        accelerator(config("cpu", 2))
