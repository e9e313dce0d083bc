from pathlib import Path

import numpy as np
import pytest
from torch import nn

from recsys.data.encoded_columns import read_columns
from recsys.errors import ExportError, ModelError
from recsys.export.item_encoder_export import item_encoder_of, ranker_item_encoder_of, write_item_encoder
from recsys.models.onnx.exportable import ItemEncoderSpec
from recsys.runtime.onnx_model import OnnxModel
from tests.export.test_served_models import Differs, KnowsColours
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board


class Ranks(KnowsColours):
    """Ranks in a form of its own, in which new items have other vectors."""

    def serving_ranker(self) -> nn.Module:
        return nn.Identity()

    def ranker_item_encoder(self) -> ItemEncoderSpec:
        raise ModelError("no source does")


def test_what_ranks_in_its_own_form_has_its_own_encoder():
    lines: list[str] = []
    model = Ranks(NUM_USERS, NUM_ITEMS)
    assert item_encoder_of(model, lines.append) is not None and lines == []
    assert ranker_item_encoder_of(model, lines.append) is None
    assert lines == ["the ranker does not score new items: no source does"]


def test_a_model_without_another_form_ranks_by_the_vectors_that_it_is_found_by():
    spec = ranker_item_encoder_of(KnowsColours(NUM_USERS, NUM_ITEMS), pytest.fail)
    assert spec is not None and [column.name for column in spec.columns] == ["colours"]


def test_a_model_that_knows_no_content_says_nothing():
    assert item_encoder_of(nn.Linear(1, 1), pytest.fail) is None


def test_gives_the_vectors_of_the_catalogue_as_if_it_were_new(tmp_path: Path):
    model, columns = KnowsColours(NUM_USERS, NUM_ITEMS), tmp_path / "columns.json"
    spec = item_encoder_of(model, pytest.fail)
    assert spec is not None
    vectors = write_item_encoder(spec, prepared_board(), tmp_path / "encoder.onnx", columns, {"role": "test"})
    assert vectors.tolist() == [[2.0]] * NUM_ITEMS  # every item has two colours
    assert [column.name for column in read_columns(columns)] == ["colours"]
    assert OnnxModel(tmp_path / "encoder.onnx").run({"colours": np.array([[0, -1]])}).tolist() == [[1.0]]


def test_one_that_differs_is_refused(tmp_path: Path):
    spec = item_encoder_of(Differs(NUM_USERS, NUM_ITEMS), pytest.fail)
    assert spec is not None
    with pytest.raises(ExportError, match="exported item encoder differs from PyTorch by 0.2"):
        write_item_encoder(spec, prepared_board(), tmp_path / "encoder.onnx", tmp_path / "columns.json", {})
