import shutil
import threading

import pytest
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool

from recsys.errors import BundleError
from tests.export.board_bundles import board_bundle


@pytest.fixture
def directory(tmp_path):
    """Two bundles, which a test may damage."""
    for name in ("ease", "two_tower"):
        shutil.copytree(board_bundle(name), tmp_path / name)
    return tmp_path


def test_one_is_live_and_another_takes_over(directory):
    prepared = []
    pool = BundlePool(directory, "ease", prepare=lambda opened: prepared.append(opened.name))
    assert pool.live.name == "ease" and pool.previous is None and pool.names() == ["ease", "two_tower"]
    assert pool.activate("two_tower") is pool.live and pool.previous.name == "ease"
    assert [opened.name for opened in pool.opened()] == ["two_tower", "ease"] and prepared == ["ease", "two_tower"]
    first = pool.previous
    assert pool.activate("ease") is first and prepared == ["ease", "two_tower"]


def test_a_damaged_one_changes_nothing(directory):
    pool = BundlePool(directory, "ease")
    (directory / "two_tower" / "item_vectors.npy").write_bytes(b"")
    with pytest.raises(BundleError, match="changed or damaged"):
        pool.activate("two_tower")
    assert pool.live.name == "ease" and [opened.name for opened in pool.opened()] == ["ease"]


def test_one_that_came_in_its_place_is_another(directory):
    pool = BundlePool(directory, "ease")
    first = pool.live
    assert pool.activate("ease") is first
    shutil.rmtree(directory / "ease")
    shutil.copytree(board_bundle("two_tower"), directory / "ease")
    assert pool.activate("ease") is not first and pool.live.fingerprint != first.fingerprint
    assert pool.previous is first


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../ease", "/etc", "a\\b", "a\0b", "none"])
def test_names_lead_nowhere_else(directory, name):
    pool = BundlePool(directory, "ease")
    with pytest.raises(BundleError):
        pool.open(name)


def opened_in_background(pool, name):
    pool.open_in_background(name)
    for thread in threading.enumerate():
        if thread.name == f"open-{name}":
            thread.join(600)


def test_bundles_of_variants_open_in_the_background_and_are_let_go(directory):
    pool = BundlePool(directory, "ease")
    assert pool.get("two_tower") is None
    opened_in_background(pool, "two_tower")
    assert pool.get("two_tower").name == "two_tower" and pool.live.name == "ease"
    pool.keep(["two_tower"])
    assert pool.get("two_tower") is not None
    pool.keep([])
    assert pool.get("two_tower") is None and pool.get("ease") is pool.live


def test_one_that_was_refused_is_not_tried_again_before_it_changes(directory, caplog):
    pool = BundlePool(directory, "ease")
    vectors = directory / "two_tower" / "item_vectors.npy"
    whole = vectors.read_bytes()
    vectors.write_bytes(b"")
    for _ in range(3):
        opened_in_background(pool, "two_tower")
    assert pool.get("two_tower") is None and caplog.text.count("cannot be opened") == 1
    vectors.write_bytes(whole)
    manifest = directory / "two_tower" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    opened_in_background(pool, "two_tower")
    assert pool.get("two_tower") is not None


def test_without_a_first_one_there_is_no_pool(tmp_path):
    with pytest.raises(BundleError, match="A bundle is required"):
        BundlePool(tmp_path, "none")
