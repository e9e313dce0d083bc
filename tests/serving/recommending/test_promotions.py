import pytest
from recsys_serving.recommending.promotions import check_promotions, with_promotions
from recsys_serving.recommending.types import Promotion

from recsys.errors import RequestError

RANKED = ["a", "b", "c", "d", "e", "f"]


def page(promotions, allowed="abcdefxyz", first_rank=1, k=4, ranked=RANKED):
    return with_promotions(ranked, promotions, set(allowed), first_rank, k)


def test_a_promoted_item_stands_at_its_place_and_nowhere_else():
    assert page([Promotion("x", 2)]) == ["a", "x", "b", "c"]
    assert page([Promotion("c", 1)]) == ["c", "a", "b", "d"]
    assert page([Promotion("x", 1), Promotion("y", 4)]) == ["x", "a", "b", "y"]


def test_one_that_may_not_be_shown_leaves_its_place():
    assert page([Promotion("x", 1)], allowed="") == ["a", "b", "c", "d"]


def test_places_are_counted_over_all_pages():
    assert page([Promotion("x", 5)]) == ["a", "b", "c", "d"]
    assert page([Promotion("x", 6)], first_rank=5) == ["a", "x", "b", "c"]


def test_an_item_that_is_promoted_later_does_not_come_before():
    assert page([Promotion("a", 6)]) == ["b", "c", "d", "e"]


def test_a_list_that_is_too_short_ends_with_the_promoted():
    assert page([Promotion("x", 4)], ranked=["a"]) == ["a", "x"]
    assert page([], ranked=[]) == []


@pytest.mark.parametrize(
    ("promotions", "message"),
    [
        ([Promotion("x", 0)], "whole number from 1, but it is 0"),
        ([Promotion("x", True)], "whole number from 1, but it is True"),
        ([Promotion("x", 1), Promotion("y", 1)], "one position came twice"),
        ([Promotion("x", 1), Promotion("x", 2)], "one item came twice"),
        ([Promotion(str(place), place) for place in range(1, 52)], "may have 50 promotions, but 51 came"),
    ],
)
def test_wrong_places_are_refused(promotions, message):
    with pytest.raises(RequestError, match=message):
        check_promotions(promotions)
