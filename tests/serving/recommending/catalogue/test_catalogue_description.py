import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from recsys_serving.recommending.catalogue.catalogue_description import MAX_VALUES, describe_catalogue
from recsys_serving.recommending.types import CatalogueItem

from recsys.data.raw import FeatureColumn
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.manifest import BundleData

GENRES = FeatureColumn("genres", "multi", separator="|")


def described(columns, features=(), present=None, **data):
    table = pa.table(columns)
    counts = np.ones(len(table), dtype=np.int64)
    state = CatalogueState.of(table, tuple(features), counts, counts)
    if present is not None:
        state.present[:] = present
    told = {"min_rating": None, "rating_range": None, "content_column": None, **data}
    return describe_catalogue(
        "b", state, BundleData("films", "h", 1, len(table), item_features=tuple(features), **told)
    )


def column(values, features=(), present=None, name="genres"):
    (one,) = described({name: values}, features, present).columns
    return one


def test_values_of_a_text_with_several_are_counted_item_by_item():
    one = column(["Drama|War", "Drama|Drama", None, ""], [GENRES])
    assert (one.kind, one.multiple, one.num_values, one.num_missing) == ("category", True, 2, 2)
    assert one.values == (("Drama", 2), ("War", 1))


def test_lists_and_single_texts_are_categories():
    assert column(pa.array([["a", "b"], ["a"]])).values == (("a", 2), ("b", 1))
    single = column(pa.array(["a", "a", "b"]).dictionary_encode())
    assert (single.kind, single.multiple, single.values) == ("category", False, (("a", 2), ("b", 1)))


def test_items_that_are_gone_are_not_counted():
    one = column(["a", "b", "b"], present=[True, False, True])
    assert (one.values, one.num_values) == ((("a", 1), ("b", 1)), 2)
    numbers = column(pa.array([1.0, 9.0]), present=[True, False])
    assert (numbers.minimum, numbers.maximum) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("values", "ends", "missing", "whole"),
    [
        (pa.array([1990, None, 1999]), (1990.0, 1999.0), 1, True),
        (pa.array([0.5, float("nan"), 2.0]), (0.5, 2.0), 1, False),
        (pa.array([Decimal("1.5"), Decimal("2.5")]), (1.5, 2.5), 0, False),
        (pa.array([None, None], pa.float64()), (None, None), 2, False),
    ],
    ids=["whole", "floating", "decimal", "nothing"],
)
def test_numbers_have_a_range(values, ends, missing, whole):
    one = column(values)
    assert (one.kind, one.minimum, one.maximum, one.num_missing, one.whole) == ("number", *ends, missing, whole)


def test_dates_have_a_first_and_a_last_day():
    days = pa.array([datetime.date(1995, 3, 1), None, datetime.date(1994, 1, 2)])
    one = column(days)
    assert (one.kind, one.minimum, one.maximum, one.num_missing) == ("date", "1994-01-02", "1995-03-01", 1)
    moments = column(pa.array([datetime.datetime(1995, 3, 1, 23, 5)]))
    assert (moments.kind, moments.minimum) == ("date", "1995-03-01")
    assert column(pa.array([None], pa.date32())).minimum is None


def test_truth_values_are_told():
    one = column(pa.array([True, False, True, None]))
    assert (one.kind, one.values, one.num_missing) == ("boolean", (("true", 2), ("false", 1)), 1)


def test_what_is_of_one_item_alone_is_text():
    links = column([f"https://example.org/{place}" for place in range(30)], name="link")
    assert (links.kind, links.num_values, links.values) == ("text", 30, ())
    assert column(pa.nulls(3), name="empty").kind == "text"


def test_only_the_most_frequent_values_are_told():
    one = column([f"tag {place // 2:03}" for place in range(2 * MAX_VALUES + 20)])
    assert (one.kind, len(one.values), one.num_values) == ("category", MAX_VALUES, MAX_VALUES + 10)


def test_a_catalogue_says_what_ratings_it_has_and_whether_it_has_titles():
    films = described({"title": ["A", None], "year": [1, 2]}, rating_range=(1.0, 5.0), min_rating=4.0)
    assert (films.has_titles, films.rating_range, films.liked_from, films.num_items) == (True, (1.0, 5.0), 4.0, 2)
    assert [one.name for one in films.columns] == ["year"]
    assert not described({"title": pa.array([None], pa.string())}).has_titles
    assert not described({"year": [1]}).has_titles


def test_an_open_bundle_is_described_anew_where_an_item_has_changed(by_content):
    first = by_content.description()
    assert first.bundle == by_content.name and by_content.description() is first
    by_content.lay_over([CatalogueItem("i00", available=False)])
    assert by_content.description().num_items == first.num_items - 1
