import dataclasses
import sys
import types

import numpy as np
import pyarrow as pa
import pytest
import torch

from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.sentence_vectors import item_sentences, load_sentence_model, sentence_vectors
from recsys.errors import DataError
from tests.models.board_data import prepared_board


class Encoder:
    """Counts letters; remembers what it was asked."""

    def __init__(self):
        self.loaded = []
        self.encoded = []

    def load(self, model):
        self.loaded.append(model)
        return self.encode

    def encode(self, sentences):
        self.encoded.append(sentences)
        return np.array([[text.count("a"), text.count("b"), 1] for text in sentences], dtype=np.float64)


def prepared(directory, titles, **further):
    """A data set whose items have these titles and columns of text."""
    board = prepared_board()
    schema = dataclasses.replace(
        board.schema, item_features=tuple(FeatureColumn(name, FeatureKind.TEXT) for name in further)
    )
    columns = {name: pa.array(values, pa.string()) for name, values in ({"title": titles} | further).items() if values}
    items = pa.table({"item_id": [str(item) for item in range(3)], **columns})
    return dataclasses.replace(board, directory=directory / "prepared" / "board", schema=schema, items=items)


TITLES = ["a a", None, "b"]


def test_a_sentence_is_the_title_and_the_text_features(tmp_path):
    data = prepared(tmp_path, ["War ", None, ""], plot=["They fight.", "A kiss", None])
    assert item_sentences(data) == ["War. They fight.", "A kiss", ""]


def test_a_title_that_is_a_feature_too_comes_once(tmp_path):
    data = prepared(tmp_path, TITLES)
    schema = dataclasses.replace(data.schema, item_features=(FeatureColumn("title", FeatureKind.TEXT),))
    assert item_sentences(dataclasses.replace(data, schema=schema)) == ["a a", "", "b"]


@pytest.mark.parametrize("titles", [None, [None, "", " "]])
def test_data_without_texts_are_refused(tmp_path, titles):
    with pytest.raises(DataError, match=r"need a title or a text feature.*board has none"):
        item_sentences(prepared(tmp_path, titles))


def test_vectors_have_length_one_or_zero(tmp_path):
    vectors = sentence_vectors(prepared(tmp_path, TITLES), "letters", Encoder().load)
    # "a a": (2, 0, 1) / sqrt(5); "b": (0, 1, 1) / sqrt(2)
    expected = torch.tensor([[2 / 5**0.5, 0, 1 / 5**0.5], [0, 0, 0], [0, 0.5**0.5, 0.5**0.5]])
    torch.testing.assert_close(vectors, expected)


def test_each_text_is_encoded_once(tmp_path):
    encoder, data = Encoder(), prepared(tmp_path, ["b", "a", "b"])
    first = sentence_vectors(data, "letters", encoder.load)
    again = sentence_vectors(data, "letters", encoder.load)
    assert encoder.encoded == [["a", "b"]]
    assert again.equal(first)
    assert [path.parent for path in tmp_path.rglob("*.*")] == [tmp_path / "prepared" / "sentence_vectors"]


def test_another_model_or_other_texts_are_encoded_anew(tmp_path):
    encoder, local = Encoder(), tmp_path / "model"
    sentence_vectors(prepared(tmp_path, TITLES), "letters", encoder.load)
    sentence_vectors(prepared(tmp_path, TITLES), "words", encoder.load)
    sentence_vectors(prepared(tmp_path, ["a", "b", "c"]), "letters", encoder.load)
    assert len(encoder.encoded) == 3
    local.mkdir()
    for content in ("one", "another"):
        (local / "weights").write_text(content)
        sentence_vectors(prepared(tmp_path, TITLES), str(local), encoder.load)
    assert len(encoder.encoded) == 5


def test_a_damaged_file_is_made_anew(tmp_path):
    encoder, data = Encoder(), prepared(tmp_path, TITLES)
    first = sentence_vectors(data, "letters", encoder.load)
    next(tmp_path.rglob("*.safetensors")).write_bytes(b"damaged")
    assert sentence_vectors(data, "letters", encoder.load).equal(first)
    assert len(encoder.encoded) == 2


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(
        DataError, match=r"need the package sentence-transformers.*pip install 'recsys-framework\[text\]'"
    ):
        load_sentence_model("any")


def test_a_model_that_cannot_be_loaded_is_named(monkeypatch):
    def refuse(name):
        raise OSError("no such model")

    library = types.SimpleNamespace(SentenceTransformer=refuse)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    with pytest.raises(DataError, match=r"sentence model nowhere could not be loaded \(no such model\)"):
        load_sentence_model("nowhere")


@pytest.mark.filterwarnings("ignore")
def test_a_model_of_the_library_encodes(tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs sentence-transformers, the extra text")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "war", "love"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    torch.manual_seed(0)
    model = tmp_path / "model"  # a plain language model: the library takes the mean of its words
    transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **size)).save_pretrained(model)
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(model)
    vectors = sentence_vectors(prepared(tmp_path, ["war", "love war", None]), str(model))
    assert vectors.shape == (3, 8)
    torch.testing.assert_close(vectors.norm(dim=1), torch.tensor([1.0, 1.0, 0.0]))
    assert not vectors[0].allclose(vectors[1])
