import sys
from types import SimpleNamespace

import pytest

from recsys.errors import RetrievalError
from recsys.retrieval import faiss_library as module
from recsys.retrieval.faiss_library import faiss_gpu_resources, faiss_library


def test_the_library_is_the_module():
    assert faiss_library() is pytest.importorskip("faiss")


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)  # which makes its import fail
    with pytest.raises(
        RetrievalError, match=r"cannot be imported \(.*faiss.*pip install 'recsys-framework\[serving\]'"
    ):
        faiss_library()


@pytest.mark.parametrize(
    "library",
    [
        SimpleNamespace(),
        SimpleNamespace(get_num_gpus=lambda: 0),
        SimpleNamespace(get_num_gpus=lambda: 0, StandardGpuResources=object),
    ],
    ids=["no GPU in the build at all", "no resources", "no GPU in the machine"],
)
def test_without_a_gpu_there_are_no_resources(monkeypatch, library):
    monkeypatch.setattr(module, "faiss_library", lambda: library)
    with pytest.raises(RetrievalError, match=r"but 0 GPUs were found.*pip install 'recsys-framework\[gpu\]'"):
        faiss_gpu_resources()


def test_a_gpu_has_resources(monkeypatch):
    library = SimpleNamespace(get_num_gpus=lambda: 1, StandardGpuResources=lambda: "resources")
    monkeypatch.setattr(module, "faiss_library", lambda: library)
    assert faiss_gpu_resources() == "resources"


def test_resources_need_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(RetrievalError, match="FAISS is required for an index that is not exact"):
        faiss_gpu_resources()
