import uuid
from collections import Counter

import pytest
from recsys_serving.recommending import exploring
from recsys_serving.recommending.exploring import ExploredPage, explored_page, parse_exploration
from recsys_serving.recommending.made_list import MadeItem

ITEMS = [MadeItem(name, name, 1.0, {}, ()) for name in "abcdefgh"]


def pages(number, fixed=()):
    exploration = parse_exploration({"exploration": {"slots": [1, 3], "epsilon": 0.5}})
    for seed in range(number):
        made = explored_page(ITEMS[:7], 4, exploration, fixed, uuid.UUID(int=seed))
        yield made.items, made.propensities


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
    assert explored_page(ITEMS[:4], 4, exploration, (), uuid.UUID(int=1)) == ExploredPage(ITEMS[:4], [1.0] * 4, {})


def test_the_pool_is_bounded(monkeypatch):
    monkeypatch.setattr(exploring, "POOL_SIZE", 1)
    exploration = parse_exploration({"exploration": {"slots": [1], "epsilon": 1.0}})
    for seed in range(20):
        made = explored_page(ITEMS, 4, exploration, (), uuid.UUID(int=seed))
        assert made.items[1].item_id == "e" and made.propensities[1] == 1.0


def test_items_of_which_nothing_is_counted_are_all_as_likely():
    exploration = parse_exploration({"exploration": {"slots": [1], "epsilon": 1.0, "method": "thompson"}})
    for seed in range(5):
        assert explored_page(ITEMS, 4, exploration, (), uuid.UUID(int=seed)).propensities[1] == pytest.approx(
            0.25, rel=1e-6
        )


@pytest.mark.parametrize("written", [{"slots": [3, 1]}, {"epsilon": 2}, {"places": [1]}, "yes"])
def test_what_cannot_be_read_explores_nothing_and_is_told(written, caplog):
    assert parse_exploration({"exploration": written}) is None and "left out" in caplog.text


@pytest.mark.parametrize("options", [{}, {"exploration": None}, {"k": 3}])
def test_nothing_said_is_nothing_explored(options):
    assert parse_exploration(options) is None


class Counts:
    """Counts of items: the pool is e, f, g and h, of which g is the best."""

    def of(self, item_ids):
        assert list(item_ids) == list("efgh")
        return [2, 0, 90, 2], [98, 0, 10, 98]


def test_what_became_of_items_decides_how_likely_they_are():
    exploration = parse_exploration({"exploration": {"slots": [1], "epsilon": 1.0, "method": "thompson"}})
    shown = Counter()
    for seed in range(300):
        made = explored_page(ITEMS, 4, exploration, (), uuid.UUID(int=seed), Counts())
        name, propensity = made.items[1].item_id, made.propensities[1]
        shown[name] += 1
        # a tenth is dealt out alike; f, of which nothing is known, is the best one now and then
        assert propensity == pytest.approx({"e": 0.025, "f": 0.12, "g": 0.83, "h": 0.025}[name], abs=0.03)
    assert shown["g"] > 220


def test_what_the_ranker_would_have_shown_is_known():
    exploration = parse_exploration({"exploration": {"slots": [0, 2, 9], "epsilon": 1.0}})
    made = explored_page(ITEMS, 4, exploration, ["a"], uuid.UUID(int=1))
    assert made.ranked == {2: "c"}
    assert made.items[2].item_id in "efgh"
