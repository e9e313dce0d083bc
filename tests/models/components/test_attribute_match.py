import pyarrow as pa
import torch

from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.models.components.attribute_match import AttributeMatch
from recsys.models.layers.feature_embedding import FeatureEmbedding


def embedding(values: list[str]) -> FeatureEmbedding:
    column = FeatureColumn("kind", FeatureKind.CATEGORICAL)
    return FeatureEmbedding(FeatureTable.from_table(pa.table({"kind": values}), (column,)), None, 4, 0.5)


def match() -> AttributeMatch:
    torch.manual_seed(0)
    made = AttributeMatch(4, 0.5)
    made.users, made.items = embedding(["f", "m"]), embedding(["drama", "war", "drama"])
    return made


def test_is_the_inner_product_of_the_vectors():
    made = match()
    found = made(torch.tensor([1, 0]), torch.tensor([[0, 1], [2, 1]]))
    users, items = made.users(), made.items()
    assert found.shape == (2, 2, 2)
    torch.testing.assert_close(found[0, 1, 0], users[1] @ items[1])
    torch.testing.assert_close(found[1, 0, 1], made.item_weights @ items[2])
    both_are_drama = made(torch.tensor([0]), torch.tensor([[0]]))[0, 0, 1]
    torch.testing.assert_close(found[1, 0, 1], both_are_drama)


def test_an_unknown_user_is_matched_by_the_item_alone():
    found = match()(torch.tensor([-1]), torch.tensor([[0, 1]]))
    assert found[0, :, 0].tolist() == [0, 0]
    assert (found[0, :, 1] != 0).all()


def test_data_without_columns_say_nothing():
    assert AttributeMatch(4, 0.5)(torch.tensor([0]), torch.tensor([[0, 1]])).abs().max() == 0
    no_users = match()
    no_users.users = None
    assert no_users(torch.tensor([0]), torch.tensor([[0, 1]]))[0, :, 0].tolist() == [0, 0]


def test_learns_what_goes_together():
    made = match()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.05)
    items = torch.tensor([[0, 1], [0, 1]])
    for _ in range(60):  # women like drama, men like war
        scores = made(torch.tensor([0, 1]), items)[:, :, 0]
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert made(torch.tensor([0, 1]), items)[:, :, 0].argmax(1).tolist() == [0, 1]
