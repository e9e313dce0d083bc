from datetime import date

import pyarrow as pa
import pytest

from recsys.data.preparing import Preparation, load_or_prepare
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.table import TableReader
from recsys.runtime.explanations.shared_attributes import SharedAttributes, format_shared

FEATURES = {
    "genres": {"kind": "multi_valued", "separator": "|"},
    "brand": {"kind": "categorical"},
    "title": {"kind": "text"},
    "year": {"kind": "number"},
    "price": {"kind": "number"},
}
ITEMS = {
    "a": ("The Star War II", "Drama|War", "acme", 1993, 10),
    "b": ("The Star of II", "Drama|War|Comedy", "acme", 1993, 10),
    "c": ("The 1993 Moon", "Drama", "", 1998, 10),
    "d": ("", "", "", "", ""),
    "e": ("The Moon 1993", "Comedy", "other", 2001, 10),
    # so many that a title's word in two of them is not a common one, and "the" is
    **{f"x{number:03}": (f"The Word{number // 2}", "Drama", f"brand{number}", 1950, 10) for number in range(200)},
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("shared")
    lines = ["item_id,title,genres,brand,year,price", *(",".join(map(str, (key, *row))) for key, row in ITEMS.items())]
    (root / "items.csv").write_text("\n".join(lines), encoding="utf-8")
    (root / "interactions.csv").write_text(
        "\n".join(["user_id,item_id", *(f"u,{key}" for key in ITEMS)]), encoding="utf-8"
    )
    reader = TableReader(root / "interactions.csv", items=root / "items.csv", item_features=FEATURES, name="shared")
    return load_or_prepare(root / "prepared", reader, Preparation())


@pytest.fixture(scope="module")
def texts(prepared):
    content = SharedAttributes(prepared.items, prepared.schema.item_features)

    def texts(item, other):
        item, other = (prepared.item_vocabulary.index(key) for key in (item, other))
        return [shared.text for shared in content.between(item, other)]

    return texts


def test_names_values_words_and_years_the_rarest_first(texts):
    # two of 205 items have each of acme, star, the year 1993 and War; nearly all have Drama
    found = texts("a", "b")
    assert sorted(found[:4]) == ['"star" in the title', "War", "acme", "the year 1993"]
    assert found[4:] == ["Drama"]


def test_common_and_short_words_and_numbers_in_texts_say_nothing(texts):
    assert not any(word in text for text in texts("a", "b") for word in ('"the"', '"ii"', '"of"'))
    assert texts("c", "e") == ['"moon" in the title']


def test_another_year_of_the_same_decade_is_the_decade(texts):
    assert set(texts("a", "c")) == {"Drama", "the 1990s"}


def test_numbers_that_are_no_years_are_left_out(texts):
    assert not any("10" in text for text in texts("a", "b"))


def test_an_item_without_content_shares_nothing(texts):
    assert texts("a", "d") == []
    assert texts("d", "d") == []


def test_it_does_not_matter_which_item_comes_first(texts):
    assert sorted(texts("a", "b")) == sorted(texts("b", "a"))


def test_the_closest_shares_most(prepared):
    content = SharedAttributes(prepared.items, prepared.schema.item_features)
    a, b, c, d = (prepared.item_vocabulary.index(key) for key in "abcd")
    assert content.closest(a, [c, b, d]) == b
    assert content.closest(a, [d]) is None
    assert content.closest(a, []) is None


def test_the_first_few_are_named_in_words(prepared):
    content = SharedAttributes(prepared.items, prepared.schema.item_features)
    a, b, d = (prepared.item_vocabulary.index(key) for key in "abd")
    assert format_shared(content.between(a, d)) == ""
    assert format_shared(content.between(a, b), num_most=5).endswith(", Drama")
    assert format_shared(content.between(a, b), num_most=1).count(",") == 0
    assert format_shared(content.between(a, b)).startswith("shares ")


def test_dates_share_their_year_or_decade():
    days = [date(1993, 5, 1), date(1993, 12, 31), date(1995, 1, 1), date(2001, 1, 1), None]
    items = pa.table({"released": days})
    shared = SharedAttributes(items, (FeatureColumn("released", FeatureKind.NUMBER),))
    assert [one.text for one in shared.between(0, 1)] == ["the year 1993"]
    assert [one.text for one in shared.between(0, 2)] == ["the 1990s"]
    assert shared.between(0, 3) == shared.between(0, 4) == ()


def test_a_truth_value_is_named_by_its_column():
    items = pa.table({"organic": pa.array([True, True, None, False])})
    content = SharedAttributes(items, [FeatureColumn("organic", FeatureKind.CATEGORICAL)])
    assert [shared.text for shared in content.between(0, 1)] == ["organic: true"]
    assert content.between(0, 2) == content.between(0, 3) == ()


def test_a_truth_value_of_most_items_says_nothing():
    items = pa.table({"in_stock": pa.array([True, True, True, False, False])})
    content = SharedAttributes(items, [FeatureColumn("in_stock", FeatureKind.CATEGORICAL)])
    assert content.between(0, 1) == () and len(content.between(3, 4)) == 1
