import numpy as np
import pyarrow as pa
import pytest

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import DataError
from recsys.runtime.item_encoder import ItemEncoder

COLUMNS = [
    EncodedColumn("genres", FeatureKind.MULTI_VALUED, "|", ("Comedy", "Drama")),
    EncodedColumn("year", FeatureKind.NUMBER, None, None),
]


class Model:
    """Gives a vector of the year and the number of genres; NaN for an item without genres."""

    def run(self, inputs):
        self.inputs = inputs
        counts = (inputs["genres"] >= 0).sum(axis=1)
        return np.where(counts > 0, np.stack([inputs["year"], counts]), np.nan).T


@pytest.fixture
def encoder():
    return ItemEncoder(Model(), COLUMNS)


def test_the_model_gets_codes_and_numbers(encoder):
    vectors = encoder.encode(pa.table({"genres": ["Drama", "Drama|Comedy"], "year": [1990, 2001], "title": ["a", "b"]}))
    inputs = encoder._model.inputs
    assert set(inputs) == {"genres", "year"}
    assert inputs["genres"].tolist() == [[1, -1], [1, 0]] and inputs["genres"].dtype == np.int64
    assert inputs["year"].tolist() == [1990, 2001] and inputs["year"].dtype == np.float32
    assert vectors.tolist() == [[1990, 1], [2001, 2]]


def test_an_item_of_which_nothing_known_is_said_has_no_vector(encoder):
    vectors = encoder.encode(pa.table({"genres": ["Western", "Drama"], "year": [1990, 2001]}))
    np.testing.assert_array_equal(vectors, [[np.nan, np.nan], [2001, 1]])


def test_a_missing_column_says_nothing(encoder):
    encoder.encode(pa.table({"genres": ["Drama"]}))
    assert np.isnan(encoder._model.inputs["year"]).tolist() == [True]


def test_the_columns_are_those_given(encoder):
    assert encoder.columns == tuple(COLUMNS)


def test_a_column_of_another_type_is_refused(encoder):
    with pytest.raises(DataError, match="The column year must be as in training, number"):
        encoder.encode(pa.table({"genres": ["Drama"], "year": ["old"]}))
