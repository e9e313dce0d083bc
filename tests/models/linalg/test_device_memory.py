import torch

from recsys.models.linalg import device_memory
from recsys.models.linalg.device_memory import free_memory


def test_of_the_cpu_it_is_that_of_the_machine(monkeypatch):
    monkeypatch.setattr(device_memory, "available_memory", lambda: 7)
    assert free_memory(torch.device("cpu")) == 7


def test_of_a_gpu_it_is_what_is_free_and_what_pytorch_keeps_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    assert free_memory(torch.device("cuda", 0)) == 130


def test_of_other_devices_nobody_tells():
    assert free_memory(torch.device("meta")) is None
