from __future__ import annotations

from dataclasses import asdict

import pyarrow as pa
import pytest

from recsys.data.feature_encoding import (
    CategoricalEncoder,
    MultiValuedEncoder,
    NumberEncoder,
    TextEncoder,
    TextLimits,
    check_feature_types,
    fit_encoder,
    restore_encoder,
)
from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import DataError

LIMITS = TextLimits()
COLOUR = FeatureColumn("colour", FeatureKind.CATEGORICAL)
GENRES = FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|")
YEAR = FeatureColumn("year", FeatureKind.NUMBER)
TITLE = FeatureColumn("title", FeatureKind.TEXT)


def chunked(*values: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values)])


def test_a_categorical_encoder_codes_known_values_only() -> None:
    encoder = fit_encoder(COLOUR, chunked("red", None, "blue"), LIMITS)
    assert encoder == CategoricalEncoder(("blue", "red"))
    feature = encoder.encode(COLOUR, chunked("red", "green", ""))
    assert isinstance(feature, CategoricalFeature)
    assert feature.codes.tolist() == [2, 0, 0]


def test_a_multi_valued_encoder_keeps_the_order_of_known_values() -> None:
    encoder = fit_encoder(GENRES, chunked("War|Drama", None), LIMITS)
    assert encoder == MultiValuedEncoder(("Drama", "War"))
    feature = encoder.encode(GENRES, chunked("War|Western|Drama", None, "Drama"))
    assert isinstance(feature, RaggedFeature)
    assert feature.codes.tolist() == [2, 1, 1]
    assert feature.offsets.tolist() == [0, 2, 2, 3]


def test_a_text_encoder_keeps_the_words_of_most_documents() -> None:
    # Documents: cat 2 (twice in the first counts once), hat 2, dog 1.
    titles = chunked("cat cat hat", "hat dog", "Cat")
    assert fit_encoder(TITLE, titles, LIMITS) == TextEncoder(("cat", "hat"))
    assert fit_encoder(TITLE, titles, TextLimits(min_document_frequency=1)) == TextEncoder(("cat", "dog", "hat"))
    # A tie is broken in Unicode order.
    assert fit_encoder(TITLE, titles, TextLimits(max_words=1)) == TextEncoder(("cat",))
    feature = TextEncoder(("cat", "hat")).encode(TITLE, chunked("hat, cat, hat", "bird"))
    assert feature.codes.tolist() == [2, 1, 2]
    assert feature.offsets.tolist() == [0, 3, 3]


def test_a_number_encoder_standardises_with_the_fitted_mean() -> None:
    # mean 2, deviation sqrt(((1 - 2)^2 + (3 - 2)^2) / 2) = 1
    encoder = fit_encoder(YEAR, chunked(1.0, 3.0, None, float("inf")), LIMITS)
    assert encoder == NumberEncoder(2.0, 1.0)
    feature = encoder.encode(YEAR, chunked(5.0, None))
    assert isinstance(feature, NumberFeature)
    assert feature.values.tolist() == [3.0, 0.0]
    assert feature.missing.tolist() == [False, True]


def test_constant_and_missing_numbers_are_only_centred() -> None:
    assert fit_encoder(YEAR, chunked(7.0, 7.0), LIMITS) == NumberEncoder(7.0, 1.0)
    assert fit_encoder(YEAR, pa.chunked_array([pa.nulls(2)]), LIMITS) == NumberEncoder(0.0, 1.0)


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [
        (FeatureKind.CATEGORICAL, CategoricalEncoder(("a", "b"))),
        (FeatureKind.MULTI_VALUED, MultiValuedEncoder(("a",))),
        (FeatureKind.TEXT, TextEncoder(())),
        (FeatureKind.NUMBER, NumberEncoder(1.5, 2.0)),
    ],
)
def test_an_encoder_is_restored_from_its_fields(kind: FeatureKind, encoder: object) -> None:
    # JSON has lists in place of tuples.
    fields = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(encoder).items()  # type: ignore[call-overload]
    }
    assert restore_encoder(kind, fields) == encoder


def test_types_that_fit_are_accepted() -> None:
    table = pa.table(
        {
            "colour": pa.array(["a"]).dictionary_encode(),
            "genres": ["a|b"],
            "year": [True],
            "title": pa.nulls(1),
        }
    )
    check_feature_types(table, (COLOUR, GENRES, YEAR, TITLE))


@pytest.mark.parametrize(
    ("table", "feature", "message"),
    [
        ({"x": [1]}, COLOUR, "feature colour needs a column of that name; the columns are x"),
        ({"colour": [[1]]}, COLOUR, "declared categorical, which needs strings, numbers or booleans, .* type list"),
        ({"genres": [["a"]]}, GENRES, "declared multi_valued, which needs strings to separate"),
        ({"genres": ["a"]}, FeatureColumn("genres", FeatureKind.MULTI_VALUED), "needs lists of strings or numbers"),
        ({"year": ["1"]}, YEAR, "declared number, which needs numbers or dates, but the column is of type string"),
        ({"title": [1]}, TITLE, "declared text, which needs strings, but the column is of type int64"),
    ],
)
def test_types_that_do_not_fit_are_refused(
    table: dict[str, list[object]], feature: FeatureColumn, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        check_feature_types(pa.table(table), (feature,))
