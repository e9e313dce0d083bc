import pyarrow as pa
import torch

from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.models.layers.item_tower import ItemTower


def features(genres: list[str | None]) -> FeatureTable:
    return FeatureTable.from_table(
        pa.table({"genres": genres}), (FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|"),)
    )


def tower(id_dropout: float = 0.0) -> ItemTower:
    torch.manual_seed(0)
    tower = ItemTower(num_items=4, embedding_dim=3, id_dropout=id_dropout, init_std=1.0)
    torch.nn.init.normal_(tower.unknown_id)
    tower.set_item_features(features(["Drama", "War", "Drama", None]), None)
    return tower


def test_an_item_is_its_id_and_its_features():
    items = tower()
    torch.testing.assert_close(items(), items.ids.weight + items.features())


def test_an_item_without_training_has_the_unknown_id_and_its_features():
    items = tower()
    items.is_trained[2] = False
    torch.testing.assert_close(items()[2], items.unknown_id + items.features()[0])
    torch.testing.assert_close(items()[:2], (items.ids.weight + items.features())[:2])


def test_without_features_new_items_are_all_alike():
    items = ItemTower(4, 3, 0.0, 1.0)
    items.set_item_features(features(["Drama", "War", "Drama", None]), [])
    items.is_trained.fill_(False)
    assert items().equal(items.unknown_id.expand(4, 3))


def test_ids_are_hidden_in_training_as_often_as_asked_and_never_else():
    items = tower(id_dropout=0.25)
    hidden = torch.stack([(items() == items.unknown_id + items.features()).all(1) for _ in range(1000)])
    assert abs(hidden.float().mean().item() - 0.25) < 0.03
    items.eval()
    assert items().equal(items.ids.weight + items.features())


def test_texts_add_a_projection_of_their_sentence_vectors():
    items = tower()
    before = items()
    vectors = torch.nn.functional.normalize(torch.randn(4, 6), dim=1)
    items.set_sentence_vectors(vectors)
    torch.testing.assert_close(items() - before, vectors @ items.sentences.weight.T)


def test_vectors_of_some_items_are_rows_of_the_catalogue():
    items, some = tower(), torch.tensor([[2, 0], [2, 3]])
    items.is_trained[2] = False
    items.set_sentence_vectors(torch.randn(4, 6))
    torch.testing.assert_close(items(some), items()[some])


def test_an_item_that_is_asked_for_twice_is_hidden_both_times_or_never():
    items = tower(id_dropout=0.5)
    vectors = items(torch.arange(4).repeat(2)).view(2, 4, 3)
    assert vectors[0].equal(vectors[1])
