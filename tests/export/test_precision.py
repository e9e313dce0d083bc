from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from recsys.export.onnx_export import export_ranker
from recsys.export.precision import reduce_precision
from recsys.models.onnx.exportable import EncoderRanker, ServingForm
from recsys.models.onnx.onnx_query import OnnxQuery
from recsys.models.onnx.user_table import UserTable
from recsys.runtime.onnx_model import OnnxModel
from tests.models.onnx.model_queries import asked, run

GENERATOR = torch.Generator().manual_seed(0)
QUERY = asked([1], [], users=[3, 200])
CANDIDATES = torch.tensor([[0, 5, 399], [7, 7, 100]])


class Projected(nn.Module):
    """User vectors, turned by a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.users = UserTable(torch.randn(300, 32, generator=GENERATOR))
        self.register_buffer("matrix", torch.randn(32, 32, generator=GENERATOR) / 32**0.5)

    def forward(self, query: OnnxQuery) -> Tensor:
        return self.users(query) @ self.matrix


RANKER = EncoderRanker(ServingForm(Projected(), torch.randn(400, 32, generator=GENERATOR)))


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("precision") / "ranker.onnx"
    export_ranker(RANKER, path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, exported: bytes) -> Path:
    (tmp_path / "ranker.onnx").write_bytes(exported)
    return tmp_path / "ranker.onnx"


def test_float32_leaves_the_file_as_it_is(path, exported):
    reduce_precision(path, "float32")
    assert path.read_bytes() == exported


@pytest.mark.parametrize(("precision", "share", "difference"), [("float16", 0.6, 0.01), ("int8", 0.45, 0.1)])
def test_fewer_bytes_give_nearly_the_same(path, exported, precision, share, difference):
    reduce_precision(path, precision)
    assert len(path.read_bytes()) < share * len(exported)
    with torch.inference_mode():
        expected = RANKER(QUERY, CANDIDATES)
    found = run(path, QUERY, candidates=CANDIDATES)
    spread = float(expected.std())
    assert not found.equal(expected)
    torch.testing.assert_close(found, expected, rtol=0, atol=difference * spread)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_inputs_and_outputs_stay_as_they_are(path, precision):
    before = OnnxModel(path)
    reduce_precision(path, precision)
    after = OnnxModel(path)
    assert after.described_inputs == before.described_inputs
    assert [one["type"] for one in after.described_output.values()] == ["tensor(float)"]


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_it_works_in_silence_and_leaves_no_other_file(path, precision, capfd, caplog):
    reduce_precision(path, precision)
    assert capfd.readouterr().out == ""
    assert caplog.records == []
    assert list(path.parent.iterdir()) == [path]
