import numpy as np
import pytest

from recsys.errors import ExportError
from recsys.runtime.stored_vectors import STORAGES, read_vectors, write_vectors

NAN = np.nan


def array(rows):
    return np.array(rows, dtype=np.float32)


def stored(vectors, directory, storage):
    write_vectors(array(vectors), directory, storage)
    return read_vectors(directory)


@pytest.mark.parametrize("storage", STORAGES)
def test_numbers_that_each_storage_holds_come_back_as_they_were(tmp_path, storage):
    # int8: the largest number of a row is 127 steps, so that a step is 0.5, 2 and 1
    vectors = [[63.5, -63.5, 0.5], [254, 0, -2], [0, 127, 3]]
    found = stored(vectors, tmp_path, storage)
    assert found.tolist() == vectors and found.dtype == np.float32


@pytest.mark.parametrize("storage", STORAGES)
def test_an_item_without_a_vector_has_none_afterwards(tmp_path, storage):
    found = stored([[127, 1], [NAN, NAN], [0, 0]], tmp_path, storage)
    np.testing.assert_array_equal(found, [[127, 1], [NAN, NAN], [0, 0]])


@pytest.mark.parametrize("storage", STORAGES)
def test_no_items_are_none(tmp_path, storage):
    assert stored(np.zeros((0, 4)), tmp_path, storage).shape == (0, 4)


def test_full_numbers_lose_nothing(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    assert (stored(vectors, tmp_path, "float32") == vectors).all()


def test_int8_is_off_by_half_a_step_of_its_row_at_most(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    vectors *= np.logspace(-3, 3, 50, dtype=np.float32)[:, None]
    step = np.abs(vectors).max(axis=1, keepdims=True) / 127
    error = np.abs(stored(vectors, tmp_path, "int8") - vectors)
    assert (error <= 0.5001 * step).all() and error.max() > 0


def test_float16_rounds_to_eleven_bits(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    found = stored(vectors, tmp_path, "float16")
    np.testing.assert_allclose(found, vectors, rtol=2**-11, atol=1e-7)
    assert (found != vectors).any()


@pytest.mark.parametrize(("storage", "bytes_per_number"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_fewer_bytes_are_written(tmp_path, storage, bytes_per_number):
    write_vectors(np.ones((10, 100), dtype=np.float32), tmp_path, storage)
    written = np.load(tmp_path / "item_vectors.npy", allow_pickle=False)
    assert written.nbytes == 1000 * bytes_per_number
    assert (tmp_path / "item_scales.npy").is_file() == (storage == "int8")


@pytest.mark.parametrize("large", [70_000, -70_000])
def test_numbers_that_float16_does_not_hold_are_refused(tmp_path, large):
    with pytest.raises(ExportError, match="float16 does not hold. Use storage=float32 or int8"):
        write_vectors(array([[1, large], [NAN, NAN]]), tmp_path, "float16")
    assert list(tmp_path.iterdir()) == []
    assert stored([[1, large]], tmp_path, "float32").tolist() == [[1, large]]
