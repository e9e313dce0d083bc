from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from recsys_serving.recommending.catalogue.since_export import SinceExport

from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.request import RecommendationRequest

TABLE = pa.table({"title": ["A", "B"], "genres": ["War", None], "recsys_available": [True, True]})
BEFORE = CatalogueState.of(
    TABLE, (FeatureColumn("genres", FeatureKind.CATEGORICAL),), np.array([3, 1]), np.array([3, 1])
)
PLAIN = RecommendationRequest(history=["a"])
BY_GENRE = RecommendationRequest(history=["a"], filters={"genres": {"any_of": ["War"]}})


def since(now):
    return SinceExport.between(TABLE, BEFORE.available, now)


def with_column(name, values):
    place = TABLE.column_names.index(name) if name in TABLE.column_names else None
    column = pa.array(values)
    table = TABLE.append_column(name, column) if place is None else TABLE.set_column(place, name, column)
    return replace(BEFORE, table=table)


def test_nothing_has_changed_at_first():
    found = since(BEFORE)
    assert not found.has_more and found.columns == frozenset()
    assert not found.changes(replace(BY_GENRE, explain=True, diversity="mmr"), "genres")


def test_an_item_that_came_or_came_back_changes_every_list():
    more = replace(BEFORE, table=pa.concat_tables([TABLE, TABLE.slice(0, 1)]), present=np.array([True, True, True]))
    assert since(more).changes(PLAIN, None)
    was_away = SinceExport.between(TABLE, np.array([True, False]), BEFORE)
    assert was_away.changes(PLAIN, None)


def test_an_item_that_is_gone_changes_no_list_of_a_server():
    gone = replace(BEFORE, present=np.array([True, False]))
    assert not since(gone).changes(BY_GENRE, "genres")


@pytest.mark.parametrize(
    ("request_", "content_column", "changes"),
    [
        (PLAIN, "genres", False),
        (BY_GENRE, None, True),
        (RecommendationRequest(filters={"title": {"any_of": ["A"]}}), None, False),
        (RecommendationRequest(history=["a"], diversity="mmr"), "genres", True),
        (RecommendationRequest(history=["a"], diversity="mmr"), "title", False),
        (RecommendationRequest(history=["a"], diversity="mmr", diversity_column="genres"), "title", True),
        (RecommendationRequest(history=["a"], diversity="mmr"), None, False),
        (RecommendationRequest(history=["a"], explain=True), None, True),
    ],
)
def test_another_value_counts_where_its_column_is_read(request_, content_column, changes):
    found = since(with_column("genres", ["War", "Drama"]))
    assert found.columns == {"genres"} and found.changes(request_, content_column) is changes


def test_a_new_column_is_another_value():
    assert since(with_column("price", [1.0, 2.0])).columns == {"price"}


def test_whether_an_item_is_available_is_no_value_of_its_own():
    assert since(with_column("recsys_available", [True, False])).columns == frozenset()
