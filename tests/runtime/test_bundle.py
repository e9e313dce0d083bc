import shutil

import pytest

from recsys.errors import BundleError
from recsys.runtime.bundle import Bundle
from tests.export.board_bundles import board_bundle


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(board_bundle("mf"), tmp_path / "copy")


def test_a_flipped_bit_is_found(copy):
    vectors = copy / "item_vectors.npy"
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    with pytest.raises(BundleError, match=r"item_vectors.npy was changed or damaged: its SHA-256 should be"):
        Bundle.open(copy)


def test_a_ranker_that_is_not_there_is_an_error():
    with pytest.raises(BundleError, match="A ranker is required.*Export it with ranker=DIR"):
        Bundle.open(board_bundle("mf")).ranker()


def test_no_vectors_where_the_model_has_none():
    with pytest.raises(BundleError, match="scores the catalogue without them"):
        Bundle.open(board_bundle("ease")).item_vectors()


def test_an_explainer_that_is_not_there_is_an_error():
    with pytest.raises(BundleError, match="A model that explains its scores exactly is required, but MF in"):
        Bundle.open(board_bundle("mf")).explainer()
