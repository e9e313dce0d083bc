from __future__ import annotations

from types import SimpleNamespace

import pytest

from recsys.errors import BundleError
from recsys.runtime.execution_providers import CPU, CUDA, open_session


def runtime(available, working=None):
    """Stands in for ONNX Runtime: what it offers, and what of it works."""
    working = available if working is None else working

    def session(path, options, providers):
        used = [name for name in providers if name in working]
        return SimpleNamespace(path=path, get_providers=lambda: used or [CPU])

    return SimpleNamespace(get_available_providers=lambda: list(available), InferenceSession=session)


@pytest.mark.parametrize(
    ("available", "working", "used"),
    [
        ([CPU], [CPU], [CPU]),
        (["AzureExecutionProvider", CPU], [CPU], [CPU]),
        ([CUDA, CPU], [CUDA, CPU], [CUDA, CPU]),
        ([CUDA, CPU], [CPU], [CPU]),  # offered, but the driver is missing, say
    ],
)
def test_a_gpu_is_used_where_it_works_if_nothing_is_said(available, working, used):
    session = open_session(runtime(available, working), "model.onnx", None, None)
    assert session.get_providers() == used
    assert session.path == "model.onnx"


def test_what_is_asked_for_is_used():
    both = runtime([CUDA, CPU])
    assert open_session(both, "model.onnx", None, [CPU]).get_providers() == [CPU]
    assert open_session(both, "model.onnx", None, [CUDA, CPU]).get_providers() == [CUDA, CPU]


def test_a_provider_that_is_not_there_is_an_error():
    with pytest.raises(
        BundleError, match=f"{CUDA} is required, but ONNX Runtime offers only {CPU} here.*onnxruntime-gpu"
    ):
        open_session(runtime([CPU]), "model.onnx", None, [CUDA, CPU])


def test_a_provider_that_does_not_work_is_an_error():
    with pytest.raises(BundleError, match=f"{CUDA} is required, but ONNX Runtime can use only {CPU} here"):
        open_session(runtime([CUDA, CPU], working=[CPU]), "model.onnx", None, [CUDA, CPU])


def test_an_empty_list_is_an_error():
    with pytest.raises(BundleError, match=f"One or more execution providers are required, of {CUDA}, {CPU}"):
        open_session(runtime([CUDA, CPU]), "model.onnx", None, [])
