import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from recsys_serving.recommending.catalogue import item_search
from recsys_serving.recommending.catalogue.item_search import ItemSearch, normalized

TITLES = {
    "1": "The Matrix (1999)",
    "2": "Amélie Poulain (2001)",
    "3": "Star Wars: A New Hope (1977)",
    "4": "Star Trek (2009)",
    "5": "The Matrix Reloaded (2003)",
    "6": "Åse & Œuvre Łódź (1950)",
    "7": None,
    "8": "Spiderman (2002)",
}


@pytest.fixture
def search():
    return ItemSearch(TITLES.items(), popularity=[10, 5, 8, 20, 3, 0, 0, 1])


def found(search, text, **page):
    return [match.item_id for match in search.search(text, **page)[0]]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("The Matrix (1999)", "1"),
        ("the matrix", "1"),
        ("MATRIX reloaded", "5"),
        ("reloaded the matrix", "5"),
        ("amelie", "2"),
        ("AMÉLIE", "2"),
        ("ame", "2"),
        ("amelei poulian", "2"),
        ("matrx", "1"),
        ("mtarix", "1"),
        ("star w", "3"),
        ("star wasr", "3"),
        ("starwars", "3"),
        ("spider man", "8"),
        ("ase oeuvre lodz", "6"),
        ("7", "7"),
        ("1977", "3"),
        ("matrix nonsense", "1"),
    ],
)
def test_it_finds_what_people_type(search, text, first):
    assert found(search, text)[0] == first


@pytest.mark.parametrize("text", ["", "  ", "?!", "zzzzqqq", "qq"])
def test_it_finds_nothing_where_nothing_is_alike(search, text):
    assert search.search(text) == ([], 0)


def test_what_is_typed_exactly_is_most_alike(search):
    best, other = search.search("star trek")[0][:2]
    assert best.item_id == "4" and 90 < best.likeness <= 100 and other.likeness < 70


def test_of_equal_titles_the_popular_one_comes_first():
    search = ItemSearch([("a", "Same"), ("b", "Same"), ("c", "Same")], popularity=[1, 9, 3])
    assert found(search, "same") == ["b", "c", "a"]


def test_pages_follow_each_other(search):
    whole = found(search, "the star", limit=10)
    assert [*found(search, "the star", limit=1), *found(search, "the star", limit=10, offset=1)] == whole
    assert search.search("the star", limit=1)[1] == len(whole)


def test_changes_are_found_at_once(search):
    search.put([("9", "Brand New"), ("1", "Renamed")])
    search.remove(["4"])
    assert found(search, "brand")[0] == "9" and found(search, "renamed") == ["1"]
    assert (
        "1" not in found(search, "matrix") and "4" not in found(search, "star trek") and "4" not in found(search, "4")
    )
    search.put([("4", "Star Trek again")])
    assert found(search, "trek") == ["4"]


def test_many_changes_are_put_in_order(search, monkeypatch):
    monkeypatch.setattr(item_search, "FEW_CHANGED", 2)
    search.put([("9", "Brand New"), ("1", "Renamed"), ("10", "Brand Old")])
    search.remove(["4", "5", "6"])
    assert set(found(search, "brand")) == {"9", "10"} and found(search, "renamed") == ["1"]
    assert found(search, "reloaded") == [] and found(search, "amelie") == ["2"]


def test_titles_that_are_as_they_were_cost_nothing(search):
    before = search._index
    search.put([("1", "The MATRIX (1999)"), ("7", None)])
    search.remove(["none"])
    assert search._index is before
    search.put([("1", "Other")])
    search.put([("1", "Other")])
    assert found(search, "other") == ["1"]


def test_an_empty_catalogue_has_nothing():
    assert ItemSearch([]).search("anything") == ([], 0)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=20), st.text(max_size=40))
def test_no_text_is_an_error(titles, text):
    search = ItemSearch([(str(place), title) for place, title in enumerate(titles)])
    matches, total = search.search(text, limit=100)
    assert len(matches) == total and all(0 < match.likeness <= 100 for match in matches)
    likenesses = [match.likeness for match in matches]
    assert likenesses == sorted(likenesses, reverse=True)


@given(st.text(max_size=40))
@example("\U0001d400\u0130\u03d3\ufb01 \u1e9e")
def test_a_normalized_text_stays_so(text):
    once = normalized(text)
    assert normalized(once) == once
