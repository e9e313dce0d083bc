import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import RetrievalError
from recsys.retrieval.filtering.filters import (
    BlocklistFilter,
    CompositeFilter,
    Filter,
    ItemMaskFilter,
    SeenFilter,
)
from tests.retrieval.made import requests, worlds

ITEMS = np.array([[0, 1, 2, 3]])


def allowed(filters):
    return CompositeFilter(filters).allows(requests(num_requests=1), ITEMS).tolist()[0]


def test_a_mask_allows_a_part_of_the_catalogue():
    mask = np.array([True, False, True, True])
    assert allowed([ItemMaskFilter(mask)]) == mask.tolist()
    # items that were added since are not allowed
    assert ItemMaskFilter(mask[:2]).allows(requests(num_requests=1), ITEMS).tolist() == [[True, False, False, False]]


def test_all_filters_must_allow_an_item():
    masks = [np.array([True, True, False, True]), np.array([True, False, False, True])]
    assert allowed([ItemMaskFilter(mask) for mask in masks]) == [True, False, False, True]


def test_without_filters_everything_is_allowed():
    assert allowed([]) == [True] * 4


def test_seen_and_blocked_items_are_those_of_the_request():
    asked = requests(seen=[[1], [2]], exclude_items=[[0], []])
    items = np.array([[0, 1, 2], [2, 1, 0]])
    assert SeenFilter().allows(asked, items).tolist() == [[True, False, True], [False, True, True]]
    assert BlocklistFilter().allows(asked, items).tolist() == [[False, True, True], [True] * 3]
    assert CompositeFilter([SeenFilter(), BlocklistFilter()]).allows(asked, items).tolist() == [
        [False, False, True],
        [False, True, True],
    ]


def test_filters_of_several_catalogues_are_refused():
    with pytest.raises(RetrievalError, match=r"one catalogue are required, but theirs have \[2, 3\] items"):
        CompositeFilter([ItemMaskFilter(np.ones(2, dtype=bool)), ItemMaskFilter(np.ones(3, dtype=bool))])


@given(worlds(), st.integers(0, 23))
def test_the_order_of_filters_does_not_matter(world, order):
    asked = requests(seen=world["seen"], exclude_items=world["exclude_items"])
    num_items = world["scores"].shape[1]
    items = np.broadcast_to(np.arange(num_items), (len(asked), num_items))
    half = np.arange(num_items) % 2 == 0
    filters: list[Filter] = [SeenFilter(), ItemMaskFilter(world["mask"]), BlocklistFilter(), ItemMaskFilter(half)]
    expected = [
        [
            item not in seen and item not in exclude_items and bool(world["mask"][item]) and item % 2 == 0
            for item in range(num_items)
        ]
        for seen, exclude_items in zip(world["seen"], world["exclude_items"], strict=True)
    ]
    permuted = list(itertools.permutations(filters))[order]
    assert CompositeFilter(permuted).allows(asked, items).tolist() == expected
