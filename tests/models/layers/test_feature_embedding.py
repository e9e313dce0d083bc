import pyarrow as pa
import pytest
import torch

from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.layers import feature_embedding
from recsys.models.layers.feature_embedding import FeatureEmbedding


def features() -> FeatureTable:
    table = pa.table(
        {
            "genres": ["Drama|War", None, "War"],
            "studio": ["A", "B", None],
            "year": [1990, 2000, None],
            "title": ["big war", "big day", ""],
        }
    )
    columns = (
        FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|"),
        FeatureColumn("studio", FeatureKind.CATEGORICAL),
        FeatureColumn("year", FeatureKind.NUMBER),
        FeatureColumn("title", FeatureKind.TEXT),
    )
    return FeatureTable.from_table(table, columns, min_document_frequency=1)


def embedding(columns: list[str] | None) -> FeatureEmbedding:
    torch.manual_seed(0)
    return FeatureEmbedding(features(), columns, embedding_dim=4, init_std=1.0)


def test_several_values_have_the_mean_of_their_vectors_and_no_value_adds_nothing():
    module = embedding(["genres"])
    drama, war = module.tables[0]
    torch.testing.assert_close(module(), torch.stack([(drama + war) / 2, torch.zeros(4), war]))


def test_a_categorical_value_has_a_vector_and_a_missing_one_adds_nothing():
    module = embedding(["studio"])
    torch.testing.assert_close(module(), torch.cat([module.tables[0], torch.zeros(1, 4)]))


def test_a_number_is_multiplied_by_a_vector():
    module = embedding(["year"])
    # Standardised over 1990 and 2000: -1 and 1; what is missing counts 0.
    torch.testing.assert_close(module(), torch.tensor([[-1.0], [1.0], [0.0]]) * module.tables[0])


def test_words_of_a_text_have_the_mean_of_their_vectors():
    module = embedding(["title"])
    words = dict(zip(features()["title"].vocabulary, module.tables[0], strict=True))
    expected = torch.stack([(words["big"] + words["war"]) / 2, (words["big"] + words["day"]) / 2, torch.zeros(4)])
    torch.testing.assert_close(module(), expected)


def test_columns_add_up():
    both = embedding(["genres", "studio"])
    alone = [embedding(["genres"]), embedding(["studio"])]
    for module, table in zip(alone, both.tables, strict=True):
        module.tables[0] = table
    torch.testing.assert_close(both(), alone[0]() + alone[1]())


def test_all_columns_count_where_none_are_named():
    assert embedding(None).columns == ("genres", "studio", "year", "title")


def test_features_are_no_part_of_the_state():
    assert set(embedding(None).state_dict()) == {f"tables.{position}" for position in range(4)}


def test_an_unknown_column_is_named_with_those_that_exist():
    with pytest.raises(ModelError, match="must be among genres, studio, year, title, but it asks for colour"):
        embedding(["genres", "colour"])


@pytest.mark.parametrize("most", [0, 2**24])
def test_some_rows_are_those_of_all_with_their_gradient(most, monkeypatch):
    monkeypatch.setattr(feature_embedding, "MAX_PADDED_VALUES", most)
    rows = torch.tensor([[2, 0], [2, 1]])
    alone, of_all = (embedding(None) for _ in range(2))
    torch.testing.assert_close(alone(rows), of_all()[rows])
    alone(rows).square().sum().backward()
    of_all()[rows].square().sum().backward()
    for one, other in zip(alone.tables, of_all.tables, strict=True):
        torch.testing.assert_close(one.grad, other.grad)
