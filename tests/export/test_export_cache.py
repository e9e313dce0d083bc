from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

from recsys.export.onnx_export import export_encoder
from tests.export.export_cache import cached, content_hash


class Users(nn.Module):
    def __init__(self, weights: torch.Tensor, factor: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("weights", weights)
        self.factor = factor

    def forward(self, query: Any) -> torch.Tensor:
        return self.weights[query.users.clamp(min=0)] * self.factor


def users(factor: float = 1.0, last: float = 6.0) -> Users:
    return Users(torch.tensor([[1.0, 2.0], [3.0, last]]), factor)


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[nn.Module, str], tuple[onnx.ModelProto, int]]:
    """Exports a module; the file, and how many times PyTorch has been asked."""
    (tmp_path / "cache").mkdir()
    asked = []
    of_torch = torch.onnx.export

    def counting(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        return of_torch(*arguments, **options)

    monkeypatch.setattr(torch.onnx, "export", cached(counting, tmp_path / "cache"))

    def run(module: nn.Module, role: str) -> tuple[onnx.ModelProto, int]:
        export_encoder(module, tmp_path / "encoder.onnx", {"role": role})
        return onnx.load(tmp_path / "encoder.onnx"), len(asked)

    return run


def test_equal_modules_are_exported_once_and_their_files_differ_in_what_is_noted(export):
    first, asked = export(users(), "first")
    second, still = export(users(), "second")
    assert (asked, still) == (1, 1)
    assert [entry.value for entry in second.metadata_props if entry.key == "role"] == ["second"]
    assert first.graph.SerializeToString(deterministic=True) == second.graph.SerializeToString(deterministic=True)
    assert {entry.key for entry in first.metadata_props} == {entry.key for entry in second.metadata_props}


@pytest.mark.parametrize("other", [users(factor=2.0), users(last=7.0)], ids=["attribute", "tensor"])
def test_another_module_is_exported_anew(export, other):
    first, _ = export(users(), "")
    second, asked = export(other, "")
    assert asked == 2
    assert first.graph.SerializeToString(deterministic=True) != second.graph.SerializeToString(deterministic=True)


def test_what_a_test_puts_in_the_place_of_a_function_counts(export, monkeypatch):
    export(users(), "")
    monkeypatch.setattr(Users, "forward", lambda self, query: self.weights[query.users.clamp(min=0)] + 1)
    assert export(users(), "")[1] == 2


def test_a_class_inside_a_test_is_exported_each_time(export):
    class Local(Users):
        pass

    assert content_hash(Local(torch.ones(2, 2))) is None
    export(Local(torch.ones(2, 2)), "")
    assert export(Local(torch.ones(2, 2)), "")[1] == 2
