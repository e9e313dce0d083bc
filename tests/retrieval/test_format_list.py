import pytest

from recsys.retrieval.format_list import format_list


@pytest.mark.parametrize(
    ("values", "most", "expected"),
    [
        (["a", "b", "c"], 2, "a, b and 1 more"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a"], 5, "a"),
        ([], 5, "none"),
        (("a", "b"), 1, "a and 1 more"),
    ],
)
def test_the_first_values_and_how_many_follow(values, most, expected):
    assert format_list(values, most) == expected


def test_large_numbers_have_separators():
    assert format_list([str(number) for number in range(1_235)], 1) == "0 and 1,234 more"
