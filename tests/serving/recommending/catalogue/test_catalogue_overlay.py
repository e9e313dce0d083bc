import numpy as np
import pytest
from recsys_serving.recommending.catalogue.catalogue_overlay import CatalogueOverlay
from recsys_serving.recommending.types import CatalogueItem

from recsys.errors import RequestError
from recsys.runtime.item_encoder import ItemEncoder
from recsys.runtime.request import RecommendationRequest

ALL = RecommendationRequest(history=["i02", "i08"], k=100)
WHITE = {"colours": {"any_of": ["white"]}}


def listed(opened, **query):
    return opened.recommender.recommend_one(RecommendationRequest(history=["i02", "i08"], k=100, **query)).item_ids


def new(item_id="n1", **values):
    return CatalogueItem(item_id, **{"title": "New", "properties": {"colours": "black|even"}, **values})


def test_new_items_are_recommended_and_told(by_content):
    assert by_content.overlay.apply([new(), new("n2", properties={"colours": ["white", "odd"], "price": 2.5})]) == ()
    assert {"n1", "n2"} < set(listed(by_content)) and "n1" not in listed(by_content, filters=WHITE)
    assert by_content.overlay.details(["n2", "i04", "none"], ["colours", "price"]) == [
        ("New", {"colours": ["white", "odd"], "price": 2.5}),
        ("Square 4", {"colours": ["black", "even"], "price": None}),
        ("none", {"colours": None, "price": None}),
    ]


def test_a_title_that_changes_is_told_anew(by_content, monkeypatch):
    monkeypatch.setattr("recsys_serving.recommending.catalogue.catalogue_overlay.MAX_TITLES", 2)
    titles = [by_content.overlay.titles_of(["i04", "i05"])]
    by_content.overlay.apply([CatalogueItem("i04", "Other")])
    titles += [by_content.overlay.titles_of(ids) for ids in (["i05", "i04"], ["i06", "i07"], ["i04", "i06"])]
    assert titles == [
        ["Square 4", "Square 5"],
        ["Square 5", "Other"],
        ["Square 6", "Square 7"],
        ["Other", "Square 6"],
    ]


def test_doing_it_again_changes_nothing(by_content):
    for _ in range(2):
        by_content.overlay.apply([new(), CatalogueItem("i04", "Other", {"price": 3.0}, available=False)])
    assert listed(by_content).count("n1") == 1 and "i04" not in listed(by_content)
    assert by_content.overlay.item("i04") == {
        "title": "Other",
        "available": False,
        "properties": {"colours": ["black", "even"], "price": 3.0},
    }


def test_what_is_no_longer_said_is_as_the_bundle_has_it(by_content):
    by_content.overlay.apply([CatalogueItem("i04", properties={"colours": "white|odd", "price": 3.0})])
    assert "i04" in listed(by_content, filters=WHITE)
    by_content.overlay.apply([CatalogueItem("i04")])
    assert "i04" not in listed(by_content, filters=WHITE)
    assert by_content.overlay.item("i04")["properties"] == {"colours": ["black", "even"], "price": None}


def test_a_new_item_with_other_content_is_found_by_it(by_content):
    by_content.overlay.apply([new()])
    places = [listed(by_content).index("n1")]
    by_content.overlay.apply([new(properties={"colours": "white|odd"})])
    places.append(listed(by_content).index("n1"))
    assert places[1] > places[0] and "n1" in listed(by_content, filters=WHITE)


def test_an_item_that_was_deleted_may_be_made_again(by_content):
    by_content.overlay.apply([new()])
    by_content.overlay.apply([CatalogueItem("n1", deleted=True)])
    assert "n1" not in listed(by_content) and by_content.overlay.deleted == {"n1"}
    by_content.overlay.apply([new()])
    assert "n1" in listed(by_content) and by_content.overlay.deleted == frozenset()


def test_what_a_model_cannot_place_is_kept_apart(classic):
    overlay = CatalogueOverlay(classic.recommender)
    notes = overlay.apply([new(properties={"price": 2.0})])
    assert notes == ("n1 is in no list by itself before the next training: EASE does not know items by content.",)
    assert overlay.details(["n1"], ["price"]) == [("New", {"price": 2.0})]
    assert overlay.item("n1") == {"title": "New", "available": True, "properties": {"price": 2.0}}
    assert ("n1", "New") in list(overlay.titles())
    overlay.apply([CatalogueItem("n1", deleted=True)])
    assert overlay.unplaced == {} and overlay.item("n1") is None


def test_one_new_item_that_does_not_fit_does_not_keep_the_others_out(by_content, monkeypatch):
    add_items = by_content.recommender.add_items

    def picky(items):
        if "colours" not in items.column_names or None in items.column("colours").to_pylist():
            raise RequestError("Say more.")
        add_items(items)

    monkeypatch.setattr(by_content.recommender, "add_items", picky)
    notes = by_content.overlay.apply([new("n1"), new("n2", properties={}), new("n3")])
    assert notes == ("n2 is in no list by itself: Say more.",)
    assert {"n1", "n3"} < set(listed(by_content)) and set(by_content.overlay.unplaced) == {"n2"}
    by_content.overlay.apply([new("n2")])
    assert "n2" in listed(by_content) and by_content.overlay.unplaced == {}


def test_a_value_that_does_not_fit_leaves_the_others(by_content):
    good = CatalogueItem("i06", properties={"price": 1.5})
    by_content.overlay.apply([good])
    wrong = CatalogueItem("i04", "Other", {"price": "cheap", "size": 3}, available=False)
    notes = by_content.overlay.apply([wrong, CatalogueItem("i08", "Eight")])
    assert len(notes) == 1 and notes[0].startswith("Values of i04 do not fit")
    assert by_content.overlay.item("i04") == {
        "title": "Other",
        "available": False,
        "properties": {"colours": ["black", "even"], "price": None, "size": 3},
    }
    assert by_content.overlay.details(["i08"])[0][0] == "Eight" and "i04" not in listed(by_content)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (CatalogueItem("i04", properties={"item_id": "x"}), "item_id is no property"),
        (CatalogueItem("n1", properties={"title": "x"}), "title is no property"),
        (CatalogueItem("n1", properties={"colours": {"a": 1}}), "colours"),
        (CatalogueItem("i04", properties={"colours": {"a": 1}}), "colours"),
    ],
)
def test_what_does_not_fit_is_told_before(by_content, item, message):
    with pytest.raises(RequestError, match=message):
        by_content.overlay.check(item)


def test_what_a_model_will_do_with_an_item_is_told_before(by_content, classic, monkeypatch):
    assert by_content.overlay.check(new()) == () == by_content.overlay.check(CatalogueItem("i04"))
    assert "EASE does not know items by content" in classic.overlay.check(new())[0]
    # A model that says nothing about an item without colours.
    monkeypatch.setattr(ItemEncoder, "encode", lambda self, items: np.full((len(items), 1), np.nan))
    assert by_content.overlay.check(new()) == (
        "n1 is in no list by itself until more is said about it: new items are known by colours.",
    )


def test_columns_of_the_service_itself_are_not_told(by_content):
    assert by_content.overlay.columns() == ["title", "colours"]
    assert all(set(values) == {"x"} for _, values in by_content.overlay.details(["i04"], ["x"]))
