import pyarrow as pa
import pytest
import torch

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.models.onnx.embedded_columns import EmbeddedColumns, EmbeddedUsers, coded_columns, number_scales

WORDS = torch.tensor([[1.0, 0.0], [0.0, 2.0], [4.0, 4.0]])
YEARS = torch.tensor([[10.0, -1.0]])
#: Mean and standard deviation of the years.
SCALE = (5.0, 2.0)
FEATURES = FeatureTable.from_table(
    pa.table({"genres": ["war|drama", "love"], "year": [1990, 2010]}),
    (FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|"), FeatureColumn("year", FeatureKind.NUMBER)),
)


@pytest.mark.parametrize(
    ("codes", "vector"),
    [
        ([2, -1, -1], [4.0, 4.0]),
        ([0, 1, -1], [0.5, 1.0]),  # the mean of (1, 0) and (0, 2)
        ([-1, 0, 1], [0.5, 1.0]),  # wherever no value stands
        ([0, 0, 2], [2.0, 4 / 3]),  # (1 + 1 + 4) / 3 and (0 + 0 + 4) / 3
        ([-1, -1, -1], [0.0, 0.0]),
    ],
)
def test_a_row_of_codes_is_the_mean_of_the_vectors_of_its_values(codes, vector):
    embedded = EmbeddedColumns([WORDS], [None])([torch.tensor([codes])])
    torch.testing.assert_close(embedded, torch.tensor([vector]))


def test_a_number_is_standardised_and_a_missing_one_adds_nothing():
    numbers = torch.tensor([9.0, torch.nan, torch.inf])
    # (9 - 5) / 2 = 2 times (10, -1)
    assert EmbeddedColumns([YEARS], [SCALE])([numbers]).tolist() == [[20.0, -2.0], [0.0, 0.0], [0.0, 0.0]]


def test_columns_add_up():
    columns = EmbeddedColumns([WORDS, YEARS], [None, SCALE])
    # (0, 2) + (3 - 5) / 2 * (10, -1)
    assert columns([torch.tensor([[1]]), torch.tensor([3.0])]).tolist() == [[-10.0, 3.0]]


def test_columns_of_users_go_by_their_names():
    users = EmbeddedUsers(["year", "genres"], EmbeddedColumns([YEARS, WORDS], [SCALE, None]))
    features = {"genres": torch.tensor([[1]]), "unread": torch.zeros(1), "year": torch.tensor([3.0])}
    assert users(features).tolist() == [[-10.0, 3.0]]


def test_says_how_columns_are_encoded_in_the_order_asked_for():
    assert coded_columns(FEATURES, ["year", "genres"]) == (
        EncodedColumn("year", FeatureKind.NUMBER, None, None),
        EncodedColumn("genres", FeatureKind.MULTI_VALUED, "|", ("drama", "love", "war")),
    )


def test_only_numbers_have_a_scale():
    # the mean of 1990 and 2010 is 2000, each is 10 away
    codes, numbers = number_scales(FEATURES, coded_columns(FEATURES, ["genres", "year"]))
    assert codes is None
    assert numbers == pytest.approx((2000.0, 10.0))
