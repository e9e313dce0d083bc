from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.temporal import Temporal
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make


def test_the_newest_share_of_all_is_test_and_what_comes_before_is_validation() -> None:
    # Times 0 to 9 in another order: 0.2 of 10 from time 8 on, 0.1 of 10 from time 7 on.
    times = [3, 9, 0, 7, 5, 1, 8, 2, 6, 4]
    split = Temporal(test_ratio=0.2, valid_ratio=0.1).split(make([0] * 10, timestamps=times))
    assert split.test.tolist() == [1, 6]
    assert split.valid.tolist() == [3]
    assert len(split.train) == 7


def test_a_moment_is_never_divided() -> None:
    # The newest 0.2 of 10 are two of the four at time 9: all four are test. The newest one before is one of the three
    # at time 5: all three are validation.
    times = [1, 1, 1, 5, 5, 5, 9, 9, 9, 9]
    split = Temporal(test_ratio=0.2, valid_ratio=0.1).split(make([0] * 10, timestamps=times))
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1, 2], [3, 4, 5], [6, 7, 8, 9])


def test_the_cut_itself_is_test() -> None:
    rows = make([0] * 5, timestamps=[10, 20, 30, 40, 50])
    split = Temporal(test_ratio=None, test_from=40, valid_ratio=0.2).split(rows)
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1], [2], [3, 4])


def test_the_cut_may_lie_between_two_interactions() -> None:
    rows = make([0] * 5, timestamps=[10, 20, 30, 40, 50])
    assert Temporal(test_ratio=None, test_from=41, valid_ratio=0).split(rows).test.tolist() == [4]


@pytest.mark.parametrize(
    ("test_from", "expected"),
    [
        ("2024-01-03", [2, 3]),
        ("2024-01-03 00:00:01", [3]),
        ("2024-01-03T01:00:00+01:00", [2, 3]),
        (1704240000, [2, 3]),
        ("2024-01-02T23:59:59.5", [2, 3]),
    ],
)
def test_the_cut_may_be_a_date(test_from: int | str, expected: list[int]) -> None:
    first = 1704067200  # 2024-01-01
    rows = make([0] * 4, timestamps=[first, first + 86400, first + 2 * 86400, first + 3 * 86400])
    assert Temporal(test_ratio=None, test_from=test_from, valid_ratio=0).split(rows).test.tolist() == expected


def test_parts_of_a_second_divide_what_a_second_holds() -> None:
    rows = make([0] * 4, timestamps=[5, 5, 5, 5], subsecond_ns=[300, 100, 200, 400])
    split = Temporal(test_ratio=0.25, valid_ratio=0.25).split(rows)
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([1, 2], [0], [3])


def test_what_was_there_before_the_cut_is_noted() -> None:
    # Each row stands for all interactions of its pair: those of rows 2 and 4 began in training, that of 3 at the cut.
    rows = make([0] * 5, timestamps=[10, 20, 30, 40, 50], first_timestamps=[10, 20, 5, 40, 35])
    split = Temporal(test_ratio=0.4, valid_ratio=0.2).split(rows)
    assert (split.valid.tolist(), split.test.tolist()) == ([2], [3, 4])
    assert split.seen_before.tolist() == [2, 4]
    assert split.with_validation_in_training().seen_before.tolist() == [4]


def test_users_and_items_without_training_are_kept() -> None:
    # User 1 and item 2 appear at the end alone.
    rows = make([0, 0, 0, 1], items=[0, 1, 0, 2], timestamps=[1, 2, 3, 4])
    assert Temporal(test_ratio=0.25, valid_ratio=0.25).split(rows).test.tolist() == [3]


@given(
    rows=interactions(),
    test_ratio=st.floats(0.05, 0.6),
    valid_ratio=st.one_of(st.just(0.0), st.floats(0.05, 0.35)),
)
def test_nothing_known_is_as_late_as_a_target(rows: Interactions, test_ratio: float, valid_ratio: float) -> None:
    assert rows.timestamp is not None
    try:
        split = Temporal(test_ratio, valid_ratio).split(rows)
    except SplitError:
        assume(False)
        raise
    for stage in ("valid", "test"):
        targets = split.targets(stage)
        if len(targets):
            assert rows.timestamp[split.known(stage)].max() < rows.timestamp[targets].min()


@given(rows=interactions(), hundredths=st.integers(5, 60))
def test_without_its_first_moment_test_is_smaller_than_its_share(rows: Interactions, hundredths: int) -> None:
    assert rows.timestamp is not None
    try:
        split = Temporal(hundredths / 100, valid_ratio=0).split(rows)
    except SplitError:
        assume(False)
        raise
    share = max(hundredths * len(rows) // 100, 1)
    times = rows.timestamp[split.test]
    assert len(times) >= share > (times > times.min()).sum()


def test_negative_times_are_before_all_others() -> None:
    rows = make([0] * 4, timestamps=[-5, 1, -9, 2])
    assert Temporal(test_ratio=0.5, valid_ratio=0.25).split(rows).valid.tolist() == [0]


def test_missing_timestamps_point_at_the_random_strategy() -> None:
    with pytest.raises(SplitError, match=r"Temporal needs timestamps.*use split=random_ratio"):
        Temporal().split(make([0, 0, 0]))


def test_one_single_moment_cannot_be_cut() -> None:
    with pytest.raises(SplitError, match="interactions for training and validation; .* last from 7 to 7"):
        Temporal().split(make([0, 0, 0], timestamps=[7, 7, 7]))


def test_a_cut_after_the_data_leaves_no_test() -> None:
    with pytest.raises(SplitError, match="interactions for test; .*Test begins at 51, the data last from 10 to 50"):
        Temporal(None, 0.2, test_from=51).split(make([0] * 5, timestamps=[10, 20, 30, 40, 50]))


def test_validation_that_leaves_no_training_is_refused() -> None:
    rows = make([0] * 5, timestamps=[10, 20, 30, 40, 50])
    with pytest.raises(SplitError, match=r"interactions for training; .*set split.test_ratio or split.test_from, and"):
        Temporal(None, 0.4, test_from=30).split(rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_ratio": 1.0}, "test_ratio must be a number above 0 and below 1; got 1.0"),
        ({"valid_ratio": float("nan")}, "valid_ratio must be a number of at least 0 and below 1; got nan"),
        ({"test_ratio": 0.9, "valid_ratio": 0.1}, "must be below 1, so that training keeps a share"),
        ({"test_ratio": None}, "exactly one of test_ratio and test_from must be given; got neither"),
        ({"test_from": 3}, "must be given; got test_ratio=0.2 and test_from=3. Set split.test_ratio=null"),
        (
            {"test_ratio": None, "test_from": -1},
            "test_from must be a whole number of at least 0 .*; got -1",
        ),
        ({"test_ratio": None, "test_from": "2020-13-01"}, "or a date such as 2024-05-31 .*; got '2020-13-01'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        Temporal(**arguments)


def test_times_beyond_int32_are_compared_exactly() -> None:
    start = 2**53  # where float64 no longer tells neighbours apart
    rows = make([0] * 4, timestamps=[start, start + 1, start + 2, start + 3])
    split = Temporal(None, 0.25, test_from=start + 3).split(rows)
    assert np.concatenate([split.valid, split.test]).tolist() == [2, 3]
