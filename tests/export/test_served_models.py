from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from recsys.data.encoded_columns import EncodedColumn, read_columns
from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ExportError, ModelError
from recsys.export.parity import MANY_USERS
from recsys.export.served_models import ExportedModels, export_models, products
from recsys.models.components.recency import Recency
from recsys.models.content import Content
from recsys.models.ease import EASE
from recsys.models.hybrid import Hybrid
from recsys.models.layers.ranker_networks import ResidualNetwork
from recsys.models.mf import MF
from recsys.models.onnx.exportable import ItemEncoderSpec
from recsys.runtime.bundle import (
    ITEM_ENCODER,
    ITEM_FEATURES,
    QUERY_ENCODER,
    RANKER,
    RANKER_ITEM_ENCODER,
    RANKER_ITEM_FEATURES,
)
from recsys.runtime.onnx_model import OnnxModel
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board
from tests.retrieval.made import requests

#: Users 0 to 2.
QUERIES = {MANY_USERS: requests(history=[[1, 2], [], [4]])}


def run_of(model: nn.Module) -> Any:
    """A run of a model with the weights that it began with."""
    return SimpleNamespace(
        model=model.eval(),
        prepared=prepared_board(),
        manifest=SimpleNamespace(data_hash="abc"),
        directory=SimpleNamespace(path=Path("runs/first")),
    )


def mf(seed: int = 0) -> MF:
    torch.manual_seed(seed)
    return MF(NUM_USERS, NUM_ITEMS, embedding_dim=4, init_std=1.0)


def exported(directory: Path, model: nn.Module, ranker: nn.Module | None = None, precision: str = "float32"):
    lines: list[str] = []
    ranking = None if ranker is None else run_of(ranker)
    return export_models(run_of(model), ranking, directory, QUERIES, 7, precision, lines.append), lines


def scores_of(models: ExportedModels) -> np.ndarray:
    return products(models.encode(QUERIES[MANY_USERS]), models.item_vectors)


def test_products_are_those_of_vectors_or_the_scores_themselves():
    encoded = np.array([[1.0, 2.0]])
    assert products(encoded, None) is encoded
    assert products(encoded, np.array([[3.0, 0.0], [1.0, 1.0]])).tolist() == [[3.0, 3.0]]


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    """A retriever with a ranker of another seed: where they are, what was exported, and what was said."""
    directory = tmp_path_factory.mktemp("ranked")
    return directory, *exported(directory, mf(), mf(seed=1))


def test_the_encoder_gives_the_scores_of_the_model(ranked):
    directory, models, lines = ranked
    with torch.inference_mode():
        expected = mf().score_catalogue(torch.arange(3)).numpy()
    np.testing.assert_allclose(np.diff(scores_of(models)), np.diff(expected), atol=1e-5)
    assert lines[0] == "MF: query encoder to ONNX"
    assert lines[1].startswith("  3 queries agree with PyTorch: scores within ")
    assert sorted(path.name for path in directory.iterdir()) == sorted([QUERY_ENCODER, RANKER])


def test_a_file_says_which_run_it_is_of(ranked):
    directory, *_ = ranked
    said = {entry.key: entry.value for entry in onnx.load(directory / QUERY_ENCODER).metadata_props}
    expected = {"role": "query_encoder", "model": "MF", "run": "first", "data_hash": "abc"}
    assert said.items() >= expected.items()


def test_a_ranker_scores_the_candidates_by_its_own_model(ranked):
    _, models, lines = ranked
    items = np.array([[3, 0], [1, 1], [2, 29]])
    with torch.inference_mode():
        expected = mf(seed=1).score_pairs(torch.arange(3)[:, None], torch.from_numpy(items)).numpy()
    found = models.rank.score(QUERIES[MANY_USERS], items)
    np.testing.assert_allclose(np.diff(found), np.diff(expected), atol=1e-5)
    assert "MF: ranker to ONNX" in lines
    assert list(models.parity) == ["query_encoder", "ranker"]


def test_without_a_ranker_there_is_none(tmp_path):
    models, _ = exported(tmp_path, mf())
    assert models.rank is None
    assert list(models.parity) == ["query_encoder"]
    assert [path.name for path in tmp_path.iterdir()] == [QUERY_ENCODER]


def test_fewer_bytes_say_how_many_items_stay_and_are_what_is_given_back(tmp_path, ranked):
    _, exact, _ = ranked
    reduced, lines = exported(tmp_path, mf(), mf(seed=1), "float16")
    for comparison in ("precision", "ranker_precision"):
        assert reduced.parity[comparison]["precision"] == "float16"
        assert 0.9 <= reduced.parity[comparison]["top_10_overlap"] <= 1
    assert [line for line in lines if "float16" in line] == ["  numbers as float16: 100.0% of the lists of 10 stay"] * 2
    assert (scores_of(reduced) != scores_of(exact)).any()
    np.testing.assert_allclose(scores_of(reduced), scores_of(exact), atol=0.02)


class Lengths(nn.Module):
    """A vector of a new item: how many colours it has; ``exported_scale`` times that where it is exported."""

    def __init__(self, exported_scale: float) -> None:
        super().__init__()
        self.exported_scale = exported_scale

    def forward(self, *columns):
        (colours,) = columns
        scale = self.exported_scale if torch.compiler.is_compiling() else 1.0
        return scale * (colours >= 0).sum(1, keepdim=True).float()


class KnowsColours(MF):
    """Has an encoder of new items."""

    exported_scale = 1.0

    def item_encoder(self) -> ItemEncoderSpec:
        colours = EncodedColumn("colours", FeatureKind.MULTI_VALUED, "|", ("black", "even", "odd", "white"))
        return ItemEncoderSpec(Lengths(self.exported_scale), (colours,))


class Differs(KnowsColours):
    """Its encoder is another one where it is exported."""

    exported_scale = 1.1


class Cannot(MF):
    def item_encoder(self) -> ItemEncoderSpec:
        raise ModelError("it knows no columns of items")


def test_a_model_that_knows_items_by_their_columns_encodes_new_ones(tmp_path):
    _, lines = exported(tmp_path, KnowsColours(NUM_USERS, NUM_ITEMS))
    assert lines[-1] == "KnowsColours: item encoder to ONNX"
    assert {path.name for path in tmp_path.iterdir()} == {QUERY_ENCODER, ITEM_ENCODER, ITEM_FEATURES}
    assert [column.name for column in read_columns(tmp_path / ITEM_FEATURES)] == ["colours"]
    codes = np.array([[0, 1], [3, -1]])
    assert OnnxModel(tmp_path / ITEM_ENCODER).run({"colours": codes}).tolist() == [[2.0], [1.0]]


def test_one_that_cannot_as_it_is_set_up_says_why(tmp_path):
    _, lines = exported(tmp_path, Cannot(NUM_USERS, NUM_ITEMS))
    assert lines[-1] == "no encoder of new items: it knows no columns of items"
    assert [path.name for path in tmp_path.iterdir()] == [QUERY_ENCODER]


def test_a_hybrid_scores_new_items_by_the_sources_and_columns_that_know_them(tmp_path):
    items = FeatureTable.from_table(
        prepared_board().items, (FeatureColumn("colours", FeatureKind.MULTI_VALUED, separator="|"),)
    )
    torch.manual_seed(0)
    sources = {"content": partial(Content, num_components=2), "ease": partial(EASE, l2=5.0, recency=Recency())}
    ranker = Hybrid(NUM_USERS, NUM_ITEMS, sources, ResidualNetwork)
    ranker.set_item_features(items)
    for source in ranker.sources.values():
        source.fit(prepared_board().interactions)
    ranker.observe_training(prepared_board().interactions)
    torch.nn.init.normal_(ranker.ranker.last.weight)
    models, lines = exported(tmp_path, KnowsColours(NUM_USERS, NUM_ITEMS), ranker)
    assert "Hybrid: item encoder of the ranker to ONNX" in lines
    assert models.parity["ranker_new_items"]["max_difference"] < 1e-3
    assert [column.name for column in read_columns(tmp_path / RANKER_ITEM_FEATURES)] == ["colours"]
    vectors = OnnxModel(tmp_path / RANKER_ITEM_ENCODER).run({"colours": np.array([[0, 1]])})
    assert vectors.shape == (1, 2 + 8)


def test_a_model_without_a_serving_form_is_refused(tmp_path):
    with pytest.raises(ExportError, match="A model that can be served is required, but Linear has no serving form"):
        exported(tmp_path, nn.Linear(1, 1))
    assert list(tmp_path.iterdir()) == []
