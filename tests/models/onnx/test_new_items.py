from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.content import Content
from recsys.models.onnx.exportable import ItemEncoderSpec
from tests.models.test_two_tower import two_tower

COLUMNS = (
    FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|"),
    FeatureColumn("maker", FeatureKind.CATEGORICAL),
    FeatureColumn("title", FeatureKind.TEXT),
    FeatureColumn("year", FeatureKind.NUMBER),
)
FEATURES = FeatureTable.from_table(
    pa.table(
        {
            "genres": ["war|drama", None, "drama|drama|war", "love", "war", None],
            "maker": ["a", "b", None, "a", "c", None],
            "title": ["the war the", "the love", "war", "sea war", None, None],
            "year": [1990, 2001, None, 1985, 2010, None],
        }
    ),
    COLUMNS,
    min_document_frequency=1,
)


def columns_of(form: ItemEncoderSpec, padding: int = 0) -> list[Tensor]:
    """The features of all rows as a new item's are given, values of a row after a gap of ``padding``."""
    given = []
    for column in form.columns:
        feature = FEATURES[column.name]
        if isinstance(feature, NumberFeature):
            years = FEATURES.encoders[column.name]
            raw = feature.values * years.standard_deviation + years.mean
            given.append(raw.masked_fill(feature.missing, torch.nan))
            continue
        rows = (
            [[int(code)] if code > 0 else [] for code in feature.codes]
            if isinstance(feature, CategoricalFeature)
            else [feature.codes[slice(*ends)].tolist() for ends in feature.offsets.unfold(0, 2, 1).tolist()]
        )
        assert isinstance(feature, CategoricalFeature | RaggedFeature)
        assert column.vocabulary == feature.vocabulary
        width = padding + max(1, *(len(row) for row in rows))
        codes = [[-1] * padding + [code - 1 for code in row] for row in rows]
        given.append(torch.tensor([row + [-1] * (width - len(row)) for row in codes]))
    return given


def new_items(**settings: object) -> nn.Module:
    """A two-tower for which items 2 to 5 are new."""
    model = two_tower(**settings)
    model.set_item_features(FEATURES)
    model.items.is_trained[2:] = False
    return model.eval()


def content(**settings: object) -> Content:
    model = Content(3, 6, num_components=4, **settings)
    model.set_item_features(FEATURES)
    return model


@pytest.mark.parametrize("settings", [{}, {"normalize": True}, {"item_bias": False}, {"item_columns": ["year"]}])
@pytest.mark.parametrize("padding", [0, 2])
@torch.inference_mode()
def test_a_new_item_gets_the_vector_that_it_would_have_in_the_catalogue(settings, padding):
    model = new_items(**settings)
    form = model.item_encoder()
    vectors = form.encoder(*columns_of(form, padding))
    torch.testing.assert_close(vectors[2:], model.encode_items(torch.arange(2, 6)))


def test_says_how_the_columns_are_encoded():
    model = new_items()
    assert hasattr(model, "item_encoder")
    assert model.item_encoder().columns == (
        EncodedColumn("genres", FeatureKind.MULTI_VALUED, "|", ("drama", "love", "war")),
        EncodedColumn("maker", FeatureKind.CATEGORICAL, None, ("a", "b", "c")),
        EncodedColumn("title", FeatureKind.TEXT, None, ("love", "sea", "the", "war")),
        EncodedColumn("year", FeatureKind.NUMBER, None, None),
    )


@pytest.mark.parametrize("columns", [None, {"title": 2.0, "genres": 0.5}])
@torch.inference_mode()
def test_words_are_projected_as_those_of_the_catalogue(columns):
    model = content(columns=columns)
    form = model.item_encoder()
    vectors = form.encoder(*columns_of(form, 1))
    torch.testing.assert_close(vectors, model.encode_items(torch.arange(6)), equal_nan=True, rtol=1e-4, atol=1e-5)
    assert vectors[5].isnan().all()


def test_refuses_what_columns_do_not_tell():
    with pytest.raises(ModelError, match="it knows no columns of items"):
        two_tower().item_encoder()
    with_texts = new_items(sentence_model="any")
    with_texts.set_sentence_vectors(torch.zeros(6, 4))
    with pytest.raises(ModelError, match="by a sentence model"):
        with_texts.item_encoder()
    with pytest.raises(ModelError, match="by a sentence model"):
        content(sentence_model="any").item_encoder()
    words = Content(3, 6)
    words.set_item_features(FEATURES)
    with pytest.raises(ModelError, match="no dense vectors. Train one with model.num_components set"):
        words.item_encoder()


@pytest.mark.parametrize("model", [new_items(normalize=True), content()], ids=["embedded", "projected"])
@pytest.mark.filterwarnings("ignore")  # of the exporter, on its own future
def test_onnx_gives_the_same(model, tmp_path: Path):
    form = model.item_encoder()
    columns = columns_of(form)
    items = torch.export.Dim("items")
    shapes = [
        {0: items} if column.vocabulary is None else {0: items, 1: torch.export.Dim(f"width_{place}")}
        for place, column in enumerate(form.columns)
    ]
    examples = tuple(torch.cat([column] * 2, dim=1) if column.ndim == 2 else column for column in columns)
    program = torch.onnx.export(
        form.encoder,
        examples,
        dynamo=True,
        opset_version=20,
        input_names=[column.name for column in form.columns],
        dynamic_shapes=(tuple(shapes),),
        verbose=False,
    )
    program.save(str(tmp_path / "items.onnx"), include_initializers=True, external_data=False)
    session = onnxruntime.InferenceSession(tmp_path / "items.onnx", providers=["CPUExecutionProvider"])
    onnx_inputs = {column.name: values[1:].numpy() for column, values in zip(form.columns, columns, strict=True)}
    with torch.inference_mode():
        expected = form.encoder(*columns)[1:].numpy()
    np.testing.assert_allclose(session.run(None, onnx_inputs)[0], expected, atol=1e-5, equal_nan=True)
