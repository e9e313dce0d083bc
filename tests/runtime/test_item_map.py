import numpy as np
import pyarrow as pa
import pytest

from recsys.runtime.bundle import Bundle
from recsys.runtime.item_map import _column_of_few_texts, map_items, principal_plane
from tests.export.board_bundles import board_bundle


def test_the_axes_are_the_directions_of_most_variance():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(200, 2)) * [5.0, 2.0]
    directions, _ = np.linalg.qr(rng.normal(size=(6, 2)))
    places, explained = principal_plane((plane @ directions.T + 3.0).astype(np.float32))
    singular = np.linalg.svd(plane - plane.mean(axis=0), compute_uv=False)
    assert np.linalg.norm(places, axis=0) == pytest.approx(singular, rel=1e-4)
    assert explained == pytest.approx(singular**2 / (singular**2).sum(), rel=1e-4)
    again, _ = principal_plane((plane @ directions.T + 3.0).astype(np.float32))
    assert (again == places).all()


def test_a_map_tells_the_colours_of_the_board_apart():
    found = map_items(Bundle.open(board_bundle("two_tower")), 12)
    assert len(found.items) == 12 and found.note is None and found.column == "colours"
    counts = [item.num_interactions for item in found.items]
    assert counts == sorted(counts, reverse=True)
    assert {item.categories[0] for item in found.items} == {"black", "white"}
    assert 0 < sum(found.explained) <= 1 + 1e-9 and found.explained[0] >= found.explained[1]


def test_a_model_without_vectors_says_so():
    found = map_items(Bundle.open(board_bundle("ease")), 12)
    assert found.items == () and "without vectors" in str(found.note)


def test_without_a_column_of_several_values_items_are_told_apart_by_one_of_few_texts():
    ids = [f"i{number:03}" for number in range(120)]
    departments = pa.array(["fish", "meat", None] * 40).dictionary_encode()
    items = pa.table({"item_id": ids, "shop": ["one"] * 120, "price": [1.0] * 120, "department": departments})
    assert _column_of_few_texts(items) == "department"
    assert _column_of_few_texts(items.drop_columns(["department"])) is None
