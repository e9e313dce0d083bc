import numpy as np
import pytest
import torch
from torch import nn

from recsys.errors import ExportError
from recsys.export.explainer_export import write_explainer
from recsys.models.interface.explanation import Explanation, rows_of
from tests.retrieval.made import requests

NUM_ITEMS = 6
QUERIES = {"two users": requests(history=[[4, 1], []])}


class Differences(nn.Module):
    """Each interaction adds its item less the explained one; the rest is 1."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def explain(self, query, items):
        asked = items[rows_of(query.histories)]
        added = (query.histories.items[:, None] - asked).float()
        return Explanation(query.histories, added, torch.ones(items.shape))

    def explaining_form(self):
        return _Form(self.scale)


class _Form(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, query, items):
        added = (query.items[:, :, None] - items[:, None, :]).float() * query.inside[:, :, None]
        return self.scale * added, torch.ones_like(items, dtype=torch.float32) + 0 * query.users[:, None]


def written(model, path):
    return write_explainer(
        model, NUM_ITEMS, path / "explainer.onnx", {}, lambda asked: np.array([[0, 3], [5, 2]]), QUERIES
    )


def test_the_explainer_of_a_model_is_written_and_compared(tmp_path):
    compared = written(Differences(), tmp_path)
    assert compared == {"num_queries": 2, "max_difference": 0.0, "tolerance": 1e-3}
    assert (tmp_path / "explainer.onnx").is_file()


def test_a_model_that_explains_nothing_has_none(tmp_path):
    assert written(nn.Linear(1, 1), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_an_explainer_that_differs_is_refused(tmp_path):
    # the contributions are a hundredth too large
    with pytest.raises(ExportError, match="For two users the exported explainer differs from PyTorch: .* by 0.01"):
        written(Differences(scale=1.01), tmp_path)
