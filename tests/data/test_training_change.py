import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.data.training_change import TrainingChange


def rows(pairs, num_users, num_items, timestamps=None):
    user, item = (np.array([pair[place] for pair in pairs], dtype=np.int32) for place in (0, 1))
    time = None if timestamps is None else np.array(timestamps, dtype=np.int64)
    return Interactions(user, item, None, time, None, num_users, num_items)


def test_users_with_other_rows_are_found_and_no_others():
    before = rows([(0, 0), (0, 1), (1, 1), (2, 0)], 3, 2)
    now = rows([(2, 0), (0, 1), (0, 0), (1, 2), (3, 1)], 4, 3)
    change = TrainingChange.between(before, now)
    assert change.users.tolist() == [False, True, False, True]
    assert change.before.item_index.tolist() == [1]
    assert change.now.item_index.tolist() == [2, 1]
    assert change.num_fresh == 2 and change.is_fresh.all()
    assert change.items().tolist() == [False, True, True]


def test_a_repeat_that_takes_the_place_of_a_row_is_a_change():
    before = rows([(0, 0), (0, 1)], 1, 2, [5, 6])
    now = rows([(0, 1), (0, 0)], 1, 2, [6, 9])
    change = TrainingChange.between(before, now)
    assert change.users.tolist() == [True]
    assert change.is_fresh.tolist() == [False, True]
    assert TrainingChange.between(before, before).is_nothing


def grown():
    """Ten users with all of twenty items; user 3 gets one more, and user 10 comes."""
    before = rows([(user, item) for user in range(10) for item in range(20)], 11, 21)
    now = rows([*zip(before.user_index, before.item_index, strict=True), (3, 20), (10, 0), (10, 1)], 11, 21)
    return TrainingChange.between(before, now), now


@pytest.mark.parametrize(("replay", "expected"), [(0, 0), (0.3, 60), (1, 200)])
def test_fresh_rows_come_with_some_of_the_others(replay, expected):
    change, now = grown()
    assert change.fresh_shares().tolist() == pytest.approx([0, 0, 0, 1 / 21, *[0] * 6, 1])
    learned = change.rows_with_replay(now, replay, seed=0)
    assert learned[-3:].tolist() == [200, 201, 202]
    assert len(learned) - 3 == pytest.approx(expected, abs=20)
    assert np.array_equal(learned, change.rows_with_replay(now, replay, seed=0))


def test_each_generation_replays_other_rows():
    """The same ones again and again would be learnt by heart."""
    base = rows([(user, item) for user in range(100) for item in range(20)], 101, 21)
    pairs = [*zip(base.user_index, base.item_index, strict=True)]
    days = [rows([*pairs, *((100, item) for item in range(size))], 101, 21) for size in (10, 11)]
    drawn = [TrainingChange.between(base, now).rows_with_replay(now, 0.1, seed=0) for now in days]
    known = [set(one[one < len(base)].tolist()) for one in drawn]
    assert len(known[0] & known[1]) < 0.5 * len(known[0])


def test_all_rows_of_users_of_whom_much_is_fresh_are_learned_from():
    before = rows([(0, item) for item in range(9)] + [(1, item) for item in range(30)], 2, 31)
    now = rows([*zip(before.user_index, before.item_index, strict=True), (0, 30), (1, 30)], 2, 31)
    learned = TrainingChange.between(before, now).rows_with_replay(now, 0, seed=0)
    assert learned.tolist() == [*range(9), 39, 40]


@pytest.mark.parametrize(("replay", "latest", "expected"), [(0, None, 0), (0.12, None, 20), (0.12, 5, 5), (1, 5, 45)])
def test_others_are_drawn_whole_and_about_as_often_as_asked(replay, latest, expected):
    change, now = grown()
    positions = change.latest_with_replay(now, replay, latest, seed=0)
    learned = now.user_index[positions]
    assert (learned == 3).sum() == (latest or 21) and 200 in positions and (learned == 10).sum() == 2
    counts = np.bincount(learned, minlength=11)
    assert set(counts[~np.isin(np.arange(11), [3, 10])]) <= {0, latest or 20}
    assert len(learned) - counts[3] - 2 == expected
    if latest:  # the last ones in the table
        assert set(now.item_index[positions[learned == 3]]) == {16, 17, 18, 19, 20}


@pytest.mark.parametrize("gone", [[], [0], [3, 4, 499], list(range(100, 160))])
def test_appended_rows_are_found_as_by_hashes(gone, monkeypatch):
    generator = np.random.default_rng(0)
    pairs = [divmod(int(place), 30) for place in generator.permutation(900)]
    before = rows(pairs[:500], 30, 30, range(500))
    kept = [row for row in range(500) if row not in gone]
    now = rows([*(pairs[row] for row in kept), *pairs[500:520]], 30, 30, [*kept, *range(900, 920)])
    found = TrainingChange.between(before, now)
    monkeypatch.setattr("recsys.data.training_change._MOST_GONE", -1)
    shuffled = now.take(generator.permutation(len(now)))
    by_hash = TrainingChange.between(before, shuffled)
    assert found.users.tolist() == by_hash.users.tolist()
    assert found.num_fresh == by_hash.num_fresh == 20
    assert len(found.before) == len(by_hash.before) and len(found.now) == len(by_hash.now)
    assert found.now.timestamp[found.is_fresh].tolist() == list(range(900, 920))
