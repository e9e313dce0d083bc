import pytest

from app.components.rating import star_of, value_of

FIVE, HALVES, BROKEN = {"minimum": 1, "maximum": 5}, {"minimum": 0.5, "maximum": 5.0}, {"minimum": 3, "maximum": 3}


def test_stars_are_spread_over_the_range():
    assert [value_of(star, FIVE) for star in range(5)] == [1, 2, 3, 4, 5]
    assert (value_of(0, HALVES), value_of(4, HALVES)) == (0.5, 5.0)


@pytest.mark.parametrize(("value", "star"), [(1, 0), (3.4, 2), (5, 4), (99, 4), (-1, 0)])
def test_a_rating_has_its_closest_star(value, star):
    assert star_of(value, FIVE) == star


def test_one_rating_alone_is_the_best():
    assert star_of(3, BROKEN) == 4
