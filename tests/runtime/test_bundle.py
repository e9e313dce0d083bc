import shutil
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import BundleError
from recsys.runtime.bundle import HISTORIES, ITEM_IDS, MAPPED_HISTORIES, USER_IDS, Bundle
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


def test_ids_are_mapped_and_made_where_a_bundle_has_no_file_of_them():
    bundle = Bundle.open(board_bundle("mf"))
    files = {name: file for name, file in bundle.manifest.files.items() if name not in (USER_IDS, ITEM_IDS)}
    assert len(bundle.manifest.files) == len(files) + 2
    older = replace(bundle, manifest=replace(bundle.manifest, files=files))
    for one in (bundle, older):
        for index, vocabulary in ((one.user_ids, one.user_vocabulary), (one.item_ids, one.item_vocabulary)):
            ids = vocabulary.ids.to_pylist()
            assert index.indices_of([*ids, "nobody"]).tolist() == [*range(len(ids)), -1]


def test_a_damaged_file_of_ids_is_an_error(copy):
    (copy / USER_IDS).write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"user_ids.arrow cannot be read .*Export the bundle again"):
        _ = Bundle.open(copy, verify=False).user_ids


def test_histories_are_mapped_and_read_where_a_bundle_has_no_file_of_them():
    bundle = Bundle.open(board_bundle("mf"))
    assert {HISTORIES, MAPPED_HISTORIES} <= set(bundle.manifest.files)
    files = {name: file for name, file in bundle.manifest.files.items() if name != MAPPED_HISTORIES}
    older = replace(bundle, manifest=replace(bundle.manifest, files=files))
    everyone = np.arange(bundle.manifest.data.num_users)
    assert not bundle.histories.items.flags.owndata and len(bundle.histories.items) > 0
    mapped, read = (one.histories.take(everyone) for one in (bundle, older))
    for name in ("offsets", "items", "rating", "timestamp"):
        assert getattr(mapped, name).dtype == getattr(read, name).dtype
        assert getattr(mapped, name).tolist() == getattr(read, name).tolist()


def test_a_damaged_file_of_histories_is_an_error(copy):
    (copy / MAPPED_HISTORIES).write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"histories.arrow cannot be read .*Export the bundle again"):
        _ = Bundle.open(copy, verify=False).histories
