import onnx
import pytest
import torch
from torch import nn

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import ExportError
from recsys.export import onnx_export
from recsys.export.onnx_export import (
    OPSET,
    VECTORS,
    export_encoder,
    export_explainer,
    export_item_encoder,
    export_ranker,
)
from recsys.models.onnx.embedded_columns import EmbeddedColumns, EmbeddedUsers
from recsys.models.onnx.exportable import EncoderRanker, ItemEncoderSpec, ServingForm
from recsys.models.onnx.user_table import UserTable
from recsys.runtime.onnx_inputs import CONTRIBUTIONS, QUERY, QUERY_INPUTS, REST, SCORE
from recsys.runtime.onnx_model import OnnxModel
from tests.models.onnx.model_queries import asked, run, run_all

USERS = UserTable(torch.tensor([[1.0, 2.0], [0.0, -1.0]]))
GENRES = EncodedColumn("genres", FeatureKind.MULTI_VALUED, "|", ("drama", "war"))
YEAR = EncodedColumn("year", FeatureKind.NUMBER, None, None)
#: Columns of genres and of a year with the mean 2000 and the standard deviation 10.
COLUMNS = EmbeddedColumns([torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.5, -1.0]])], [None, (2000.0, 10.0)])


class Columns(nn.Module):
    """What the columns of users say, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.users = EmbeddedUsers(["genres", "year"], COLUMNS)

    def forward(self, query):
        return self.users(query.features) + 0 * query.ratings.nan_to_num().sum()


class ByPlace(nn.Module):
    """What each position adds is its item less the explained one, and the rest is the user."""

    def forward(self, query, items):
        added = (query.items[:, :, None] - items[:, None, :]).float() * query.inside[:, :, None]
        return added, query.users[:, None] + 0.0 * items


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "encoder.onnx"
    export_encoder(USERS, path, {"model": "MF", "role": "query_encoder"})
    return path


def test_an_encoder_gives_the_same_for_any_number_of_queries_and_any_history(encoder):
    for query in (asked([3], users=[1]), asked([], [4, 5, 6, 7, 8], [1], users=[0, -1, 1])):
        torch.testing.assert_close(run(encoder, query), USERS(query), equal_nan=True)


def test_what_an_encoder_does_not_read_is_an_input_all_the_same(encoder):
    model = onnx.load(encoder)
    assert tuple(node.name for node in model.graph.input) == QUERY_INPUTS
    assert [node.name for node in model.graph.output] == [QUERY]


def test_sizes_that_vary_have_names(encoder):
    inputs = OnnxModel(encoder).described_inputs
    assert inputs["history"] == {"type": "tensor(int64)", "shape": ["batch", "length"]}
    assert inputs["user_index"]["shape"] == ["batch"]


def test_a_file_says_what_it_is_and_has_all_in_it(encoder):
    model = onnx.load(encoder)
    assert {entry.key: entry.value for entry in model.metadata_props}.items() >= {"model": "MF"}.items()
    assert next(one.version for one in model.opset_import if one.domain == "") == OPSET
    assert [path.name for path in encoder.parent.iterdir()] == ["encoder.onnx"]


def test_columns_of_users_are_inputs_by_their_names(tmp_path):
    export_encoder(Columns(), tmp_path / "encoder.onnx", user_columns=[GENRES, YEAR])
    assert {"user.genres", "user.year"} <= OnnxModel(tmp_path / "encoder.onnx").inputs.keys()
    features = {"genres": torch.tensor([[0, 1, -1]]), "year": torch.tensor([2020.0])}
    # the mean of (1, 0) and (0, 2), and twice (.5, -1)
    assert run(tmp_path / "encoder.onnx", asked([1])._replace(features=features)).tolist() == [[1.5, -1.0]]


def test_a_ranker_gives_the_same_for_any_number_of_candidates(tmp_path):
    ranker = EncoderRanker(ServingForm(USERS, torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])))
    export_ranker(ranker, tmp_path / "ranker.onnx")
    query = asked([1, 2], [], users=[0, 1])
    # user 0 has (1, 2), user 1 has (0, -1)
    assert run(tmp_path / "ranker.onnx", query, candidates=torch.tensor([[2], [1]])).tolist() == [[6.0], [-1.0]]
    three = torch.tensor([[0, 1, 2], [2, 2, 0]])
    assert run(tmp_path / "ranker.onnx", query, candidates=three).tolist() == [[1.0, 2.0, 6.0], [-2.0, -2.0, 0.0]]
    assert OnnxModel(tmp_path / "ranker.onnx").outputs == [SCORE]


def test_an_explainer_has_two_outputs(tmp_path):
    export_explainer(ByPlace(), tmp_path / "explainer.onnx")
    found = run_all(tmp_path / "explainer.onnx", asked([7, 5], [3], users=[1, 2]), candidates=torch.tensor([[1], [0]]))
    assert list(found) == [CONTRIBUTIONS, REST]
    assert found[CONTRIBUTIONS].tolist() == [[[6.0], [4.0]], [[3.0], [0.0]]]
    assert found[REST].tolist() == [[1.0], [2.0]]


def test_an_encoder_of_items_has_an_input_for_each_column(tmp_path):
    class Items(nn.Module):
        def forward(self, *columns):
            return COLUMNS(columns)

    export_item_encoder(ItemEncoderSpec(Items(), (GENRES, YEAR)), tmp_path / "items.onnx")
    model = OnnxModel(tmp_path / "items.onnx")
    assert (list(model.inputs), model.outputs) == (["genres", "year"], [VECTORS])
    vectors = model.run({"genres": torch.tensor([[1]]).numpy(), "year": torch.tensor([torch.nan]).numpy()})
    assert vectors.tolist() == [[0.0, 2.0]]


def test_a_model_that_is_too_large_for_a_file_is_refused_before_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "MAX_BYTES", 15)
    with pytest.raises(ExportError, match="tensors of this model take 0.0 GB. Keep fewer neighbours or dimensions"):
        export_encoder(USERS, tmp_path / "encoder.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_the_exporter_does_not_know_is_a_fault_of_the_form(tmp_path):
    class DependsOnValues(nn.Module):
        def forward(self, query):
            return query.ratings if query.items.sum() > 0 else -query.ratings

    with pytest.raises(ExportError, match="The ONNX exporter of PyTorch .* a fault of the model's serving form"):
        export_encoder(DependsOnValues(), tmp_path / "encoder.onnx")
    assert list(tmp_path.iterdir()) == []
