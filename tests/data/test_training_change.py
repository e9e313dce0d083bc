from dataclasses import replace

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


@pytest.mark.parametrize(("share", "expected"), [(0, 0), (1, 20), (1000, 180)])
def test_other_users_are_drawn_whole_and_about_as_often_as_asked(share, expected):
    before = rows([(user, item) for user in range(10) for item in range(20)], 10, 21)
    now = replace(
        before,
        user_index=np.append(before.user_index, np.int32(3)),
        item_index=np.append(before.item_index, np.int32(20)),
    )
    change = TrainingChange.between(before, now)
    learned = now.user_index[change.with_other_users(now, share, seed=0)]
    assert (learned == 3).sum() == 21
    counts = np.bincount(learned, minlength=10)
    assert set(counts[np.arange(10) != 3]) <= {0, 20}
    assert len(learned) - 21 == expected


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
