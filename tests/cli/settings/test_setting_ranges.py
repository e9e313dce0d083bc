import math

import pytest

from recsys.cli.settings.setting_ranges import ValueRange, range_of


@pytest.mark.parametrize(
    ("range_", "words", "inside", "outside"),
    [
        (ValueRange(1), "at least 1", [1, 1.5, math.inf], [0, -1, math.nan]),
        (ValueRange(0, open_low=True), "above 0", [0.1], [0, -1]),
        (ValueRange(0, 1), "from 0 to 1", [0, 0.5, 1], [-0.1, 1.1, math.nan]),
        (ValueRange(0, 1, open_high=True), "at least 0 and below 1", [0, 0.9], [1]),
        (ValueRange(0, 1, open_low=True), "above 0 and at most 1", [1, 0.1], [0]),
    ],
)
def test_a_range_has_its_ends_and_says_them(range_, words, inside, outside):
    assert str(range_) == words
    assert all(number in range_ for number in inside)
    assert all(number not in range_ for number in outside)


def test_a_setting_has_the_range_of_its_name_wherever_it_is():
    assert range_of("model.dropout") == range_of("model.sources.mf.dropout") == ValueRange(0, 1, open_high=True)
    assert range_of("training.batch_size") == range_of("trainer.num_nodes") == ValueRange(1)
    assert range_of("sources_training.mf.training.l2") == ValueRange(0)
    assert range_of("model.l2") is None  # above 0 or from 0, as the model says
