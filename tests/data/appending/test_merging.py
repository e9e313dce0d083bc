from dataclasses import replace

import numpy as np

from recsys.data.appending.merging import merge
from recsys.data.interactions import Interactions


def rows(pairs, times, weights=None):
    user, item = (np.array([pair[place] for pair in pairs], dtype=np.int32) for place in (0, 1))
    weight = None if weights is None else np.array(weights, dtype=np.float32)
    return Interactions(user, item, None, np.array(times, dtype=np.int64), None, 3, 3, weight)


def test_the_latest_takes_the_place_and_notes_the_first():
    merged = merge(rows([(0, 0), (0, 1)], [5, 6]), rows([(0, 0), (1, 1)], [9, 9]), "latest")
    assert merged.interactions.item_index.tolist() == [1, 0, 1]
    assert merged.interactions.first_timestamp.tolist() == [6, 5, 9]
    assert merged.gone.tolist() == [0] and merged.changed.tolist() == []
    assert merged.num_pairs_more == 1
    assert str(merged.rules[-1]) == "duplicates removed 1 interactions"


def test_what_arrives_late_does_not_take_the_place_of_what_is_newer():
    merged = merge(rows([(0, 0)], [5]), rows([(0, 0)], [3]), "latest")
    assert merged.interactions.timestamp.tolist() == [5]
    assert merged.interactions.first_timestamp.tolist() == [3]


def test_weights_add_up_and_stay_those_of_the_others():
    there = rows([(0, 0), (1, 1)], [1, 2])
    merged = merge(there, rows([(0, 0)], [3]), "aggregate")
    assert merged.interactions.weight.tolist() == [1, 2]
    again = merge(merged.interactions, rows([(0, 0)], [4], [3]), "aggregate").interactions
    assert again.weight.tolist() == [1, 5] and again.first_timestamp.tolist() == [2, 1]
    assert there.weight is None


def test_without_a_common_pair_rows_stand_one_after_the_other():
    merged = merge(rows([(0, 0)], [5]), rows([(0, 1)], [3]), "latest")
    assert merged.interactions.item_index.tolist() == [0, 1]
    assert merged.interactions.first_timestamp is None and len(merged.gone) == 0 and merged.num_pairs_more == 1


def test_new_rows_stand_in_the_order_of_parts_of_a_second():
    new = replace(rows([(0, 1), (0, 2)], [3, 3]), subsecond_ns=np.array([9, 2], dtype=np.int32))
    merged = merge(rows([(0, 0)], [5]), new, "keep")
    assert merged.interactions.item_index.tolist() == [0, 2, 1]
    assert merged.interactions.subsecond_ns.tolist() == [0, 2, 9]
