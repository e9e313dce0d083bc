from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.preparation.streaming import distinct_values
from recsys.data.preparation.streaming.distinct_values import DistinctNumbers, DistinctTexts


def test_texts_are_kept_once_in_the_order_of_their_first_occurrence() -> None:
    texts = DistinctTexts(pa.string())
    for batch in (["b", None, "a"], [], ["c", "b"]):
        texts.add(pa.array(batch, pa.string()))
    assert texts.values().to_pylist() == ["b", "a", "c"]
    texts.add(pa.array(["a", "d"]))
    assert texts.values().to_pylist() == ["b", "a", "c", "d"]


@pytest.mark.parametrize("in_memory", [1 << 20, 50])
def test_numbers_are_counted_in_memory_and_in_files(
    in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct_values, "_IN_MEMORY", in_memory)
    values = np.random.default_rng(0).integers(-500, 500, 5000)
    numbers = DistinctNumbers(tmp_path, "time")
    for batch in np.array_split(values, 17):
        numbers.add(batch)
    assert numbers.count() == len(set(values.tolist()))
    assert bool(list(tmp_path.iterdir())) == (in_memory == 50)


def test_fractions_are_counted_and_zero_is_zero(tmp_path: Path) -> None:
    numbers = DistinctNumbers(tmp_path, "rating")
    numbers.add(np.array([0.0, -0.0, 0.5, 1.0], dtype=np.float32))
    numbers.add(np.array([0.5], dtype=np.float32))
    assert numbers.count() == 3
