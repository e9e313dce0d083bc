"""Where the backend computes, with stand-ins for Triton and ONNX Runtime: no server is needed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import recsys_serving.triton

BACKEND = Path(recsys_serving.triton.__file__).parent / "backends/onnxruntime/model.py"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Refused(Exception):
    """Stands in for the exception of Triton."""


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Loads a model whose configuration states a kind, where ONNX Runtime offers some providers."""

    def make(stated, resolved, available, working=None):
        asked = []

        def session(path, options, providers):
            asked.extend(providers)
            names = [name if isinstance(name, str) else name[0] for name in providers]
            used = [name for name in names if name in (working or available)]
            return SimpleNamespace(get_inputs=lambda: [], get_outputs=lambda: [], get_providers=lambda: used)

        runtime = SimpleNamespace(
            SessionOptions=SimpleNamespace, InferenceSession=session, get_available_providers=lambda: list(available)
        )
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
        monkeypatch.setitem(sys.modules, "triton_python_backend_utils", SimpleNamespace(TritonModelException=Refused))
        spec = importlib.util.spec_from_file_location("onnx_backend", BACKEND)
        backend = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(backend)
        (tmp_path / "config.pbtxt").write_text(f"instance_group {{ count: 1 kind: {stated} }}", encoding="utf-8")
        backend.TritonPythonModel().initialize(
            {
                "model_config": json.dumps({"name": "encoder", "input": [], "output": []}),
                "model_repository": str(tmp_path),
                "model_version": "1",
                "model_instance_kind": resolved,
                "model_instance_device_id": "3",
            }
        )
        return asked

    return make


ON_GPU_3 = [(CUDA, {"device_id": "3"}), CPU]


@pytest.mark.parametrize(
    ("stated", "resolved", "available", "asked"),
    [
        ("KIND_CPU", "CPU", [CUDA, CPU], [CPU]),
        ("KIND_GPU", "GPU", [CUDA, CPU], ON_GPU_3),
        ("KIND_AUTO", "GPU", [CUDA, CPU], ON_GPU_3),
        ("KIND_AUTO", "GPU", [CPU], [CPU]),
        ("KIND_AUTO", "CPU", [CPU], [CPU]),
        ("KIND_AUTO", "AUTO", [CPU], [CPU]),
    ],
)
def test_the_kind_of_the_instance_decides(load, stated, resolved, available, asked):
    assert load(stated, resolved, available) == asked


def test_a_gpu_that_is_asked_for_and_not_offered_is_an_error(load):
    with pytest.raises(
        Refused, match=f"encoder is to run on a GPU .KIND_GPU., but ONNX Runtime offers only {CPU} here"
    ):
        load("KIND_GPU", "GPU", [CPU])


def test_a_gpu_that_is_asked_for_and_does_not_work_is_an_error(load):
    with pytest.raises(Refused, match="ONNX Runtime cannot use CUDA here"):
        load("KIND_GPU", "GPU", [CUDA, CPU], working=[CPU])


def test_a_gpu_that_does_not_work_is_left_aside_where_it_is_not_asked_for(load):
    assert load("KIND_AUTO", "GPU", [CUDA, CPU], working=[CPU]) == ON_GPU_3
