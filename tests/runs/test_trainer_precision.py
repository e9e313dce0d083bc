import pytest
import torch
from omegaconf import OmegaConf

from recsys.errors import RunError
from recsys.runs.trainer_precision import lightning_precision, multiplies_bfloat16, product_precision


def config(precision: object, accelerator: str = "cpu"):
    return OmegaConf.create({"trainer": {"accelerator": accelerator, "devices": 1, "precision": precision}})


@pytest.fixture
def gpu(monkeypatch):
    """A GPU of the given generation."""

    def present(capability: tuple[int, int]) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
        monkeypatch.setattr("torch.cuda.get_device_capability", lambda: capability)

    return present


@pytest.mark.parametrize(("asked", "expected"), [("auto", "32-true"), ("32-true", "32-true"), ("16-mixed", "16-mixed")])
def test_single_precision_unless_another_is_asked_for(asked, expected):
    assert lightning_precision(config(asked)) == expected


@pytest.mark.parametrize("asked", ["bf16", "bf16-mixed"])
@pytest.mark.parametrize("instructions", ["_is_avx512_bf16_supported", "_is_amx_tile_supported"])
def test_bfloat16_on_a_processor_that_multiplies_it(asked, instructions, monkeypatch):
    monkeypatch.setattr(torch.cpu, instructions, lambda: True)
    assert lightning_precision(config(asked)) == "bf16-mixed"


def test_a_processor_that_would_emulate_bfloat16_is_refused(monkeypatch):
    for instructions in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, instructions, lambda: False)
    with pytest.raises(RunError, match="precision=bf16 needs a processor with AVX512_BF16 or AMX"):
        lightning_precision(config("bf16"))
    assert not multiplies_bfloat16("cpu")


def test_bfloat16_on_a_gpu_needs_ampere(gpu):
    gpu((8, 0))
    assert lightning_precision(config("bf16", "gpu")) == "bf16-mixed"
    gpu((7, 5))
    with pytest.raises(RunError, match="needs a GPU of NVIDIA's Ampere or later"):
        lightning_precision(config("bf16", "gpu"))


@pytest.mark.parametrize(
    ("asked", "accelerator", "expected"),
    [("auto", "gpu", "high"), ("auto", "cpu", "highest"), ("32-true", "gpu", "highest"), ("bf16", "gpu", "highest")],
)
def test_steps_on_a_gpu_use_tf32_unless_single_precision_is_asked_for(gpu, asked, accelerator, expected):
    gpu((9, 0))
    assert product_precision(config(asked, accelerator)) == expected
