import json
import shutil

import pytest

from recsys.errors import BundleError
from recsys.runtime.bundle import Bundle
from tests.export.board_bundles import board_bundle


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(board_bundle("mf"), tmp_path / "copy")


def change(directory, **changes):
    path = directory / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_flipped_bit_is_found(copy):
    vectors = copy / "item_vectors.npy"
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    with pytest.raises(BundleError, match=r"item_vectors.npy was changed or damaged: its SHA-256 should be"):
        Bundle.open(copy)


def test_a_missing_file_is_found(copy):
    (copy / "items.parquet").unlink()
    with pytest.raises(BundleError, match=r"items.parquet cannot be read \(No such file"):
        Bundle.open(copy)


def test_no_bundle_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match=r"has no manifest.json that can be read. Make one: python scripts/export"):
        Bundle.open(tmp_path)


@pytest.mark.parametrize("version", [0, 1, 2, None, "3"])
def test_another_version_is_refused(copy, version):
    change(copy, bundle_version=version)
    with pytest.raises(BundleError, match=f"Bundles of version 3 are required, but .* is of version {version}"):
        Bundle.open(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"bundle_version": 3}', '{"bundle_version": 3, "ranker": 3}'])
def test_a_damaged_manifest_is_told(copy, content):
    (copy / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match="damaged|is of version None"):
        Bundle.open(copy)


def test_a_file_outside_is_refused(copy):
    change(copy, files={"../secret": {"sha256": "0", "bytes": 1}})
    with pytest.raises(BundleError, match="names ../secret, which is no file of its own"):
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
