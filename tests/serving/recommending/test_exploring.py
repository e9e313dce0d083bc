import uuid
from collections import Counter

import pytest
from recsys_serving.recommending import exploring
from recsys_serving.recommending.exploring import explored_page, parse_exploration
from recsys_serving.recommending.made_list import MadeItem

ITEMS = [MadeItem(name, name, 1.0, {}, ()) for name in "abcdefgh"]


def pages(number, fixed=()):
    exploration = parse_exploration({"exploration": {"slots": [1, 3], "epsilon": 0.5}})
    for seed in range(number):
        yield explored_page(ITEMS[:7], 4, exploration, fixed, uuid.UUID(int=seed))


def test_slots_show_items_from_behind_the_page_with_their_probabilities():
    shown = Counter()
    for page, propensities in pages(2000):
        names = [item.item_id for item in page]
        assert names[0] == "a" and names[2] == "c" and len(set(names)) == 4
        for place in (1, 3):
            shown[names[place], place] += 1
            # the page's own item stays with probability 1 / 2, each of the three behind it comes with 1 / 6
            assert propensities[place] == pytest.approx(0.5 if names[place] in "bd" else 1 / 6)
        assert (propensities[0], propensities[2]) == (1.0, 1.0)
    assert {name for name, _ in shown} == set("bdefg")
    assert shown["b", 1] / 2000 == pytest.approx(0.5, abs=0.05)
    assert shown["e", 1] / 2000 == pytest.approx(1 / 6, abs=0.04)


def test_the_same_list_draws_the_same():
    assert list(pages(20)) == list(pages(20))


def test_promoted_items_keep_their_places():
    for page, propensities in pages(50, fixed=["b", "d"]):
        assert [item.item_id for item in page] == list("abcd") and propensities == [1.0] * 4


def test_without_a_pool_nothing_is_explored():
    exploration = parse_exploration({"exploration": {"slots": [1], "epsilon": 1.0}})
    assert explored_page(ITEMS[:4], 4, exploration, (), uuid.UUID(int=1)) == (ITEMS[:4], [1.0] * 4)


def test_the_pool_is_bounded(monkeypatch):
    monkeypatch.setattr(exploring, "POOL_SIZE", 1)
    exploration = parse_exploration({"exploration": {"slots": [1], "epsilon": 1.0}})
    for seed in range(20):
        page, propensities = explored_page(ITEMS, 4, exploration, (), uuid.UUID(int=seed))
        assert page[1].item_id == "e" and propensities[1] == 1.0


def test_items_of_which_nothing_is_counted_are_all_as_likely():
    exploration = parse_exploration({"exploration": {"slots": [1], "epsilon": 1.0, "method": "thompson"}})
    for seed in range(5):
        assert explored_page(ITEMS, 4, exploration, (), uuid.UUID(int=seed))[1][1] == pytest.approx(0.25, rel=1e-6)


@pytest.mark.parametrize("written", [{"slots": [3, 1]}, {"epsilon": 2}, {"places": [1]}, "yes"])
def test_what_cannot_be_read_explores_nothing_and_is_told(written, caplog):
    assert parse_exploration({"exploration": written}) is None and "left out" in caplog.text


@pytest.mark.parametrize("options", [{}, {"exploration": None}, {"k": 3}])
def test_nothing_said_is_nothing_explored(options):
    assert parse_exploration(options) is None
