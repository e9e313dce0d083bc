import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from recsys.data.preparation.streaming.ray_executor import RayExecutor, ray_executor
from recsys.data.preparing import Preparation
from recsys.data.readers.delimited import ColumnTypeError
from recsys.data.readers.table import TableReader
from recsys.errors import DataError
from tests.ray_machines import ray_machines, second_node

pytestmark = pytest.mark.filterwarnings("ignore")  # those of Ray


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with ray_machines() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ratings in files of CSV, some of them compressed."""
    directory = tmp_path_factory.mktemp("ratings")
    generator = np.random.default_rng(0)
    table = pa.table(
        {
            "user_id": [f"u{user}" for user in generator.integers(0, 300, 9000)],
            "item_id": [f"i{item}" for item in (generator.random(9000) ** 3 * 200).astype(int)],
            "rating": generator.integers(1, 11, 9000) / 2,
            "timestamp": generator.integers(0, 10**9, 9000),
        }
    )
    for number in range(6):
        ending = ".csv.gz" if number % 2 else ".csv"
        with (
            pa.CompressedOutputStream(str(directory / f"part-{number}{ending}"), "gzip")
            if number % 2
            else pa.OSFile(str(directory / f"part-{number}{ending}"), "wb") as file
        ):
            pa.csv.write_csv(table.slice(number * 1500, 1500), file)
    return directory


PREPARATION = {"min_user_interactions": 5, "min_item_interactions": 5, "positive_threshold": 2.0}


def squares(base: int, number: int) -> int:
    time.sleep(0.01 * (5 - number))
    return base + number**2


def fails(number: int) -> None:
    raise ColumnTypeError(f"row {number} is no number", "rating")


def test_results_come_in_the_order_of_the_arguments(cluster: Any, tmp_path: Path) -> None:
    with ray_executor(tmp_path) as executor:
        results = executor.map(squares, [(number,) for number in range(5)], (100,))
        assert list(results) == [100 + number**2 for number in range(5)]


def test_an_error_of_the_data_is_told_as_it_is_here(cluster: Any, tmp_path: Path) -> None:
    with ray_executor(tmp_path) as executor, pytest.raises(DataError, match="^row 3 is no number$"):
        list(executor.map(fails, [(3,)]))


def test_groups_have_each_number_once() -> None:
    executor = RayExecutor.__new__(RayExecutor)
    executor._num_cpus = 2
    for count in (0, 1, 3, 4, 11):
        groups = executor.groups(count)
        assert [number for group in groups for number in group] == list(range(count)) and len(groups) <= 4


def test_a_cluster_that_loses_a_node_prepares_what_memory_prepares(cluster: Any, ratings: Path, tmp_path: Path) -> None:
    memory = Preparation(engine="memory", **PREPARATION).prepare(TableReader(ratings), tmp_path / "memory")
    scratch = tmp_path / ".ray.partial" / "scratch"
    with second_node(cluster) as kill:

        def kill_meanwhile() -> None:
            while not list(scratch.glob("rows-*.arrow")):
                time.sleep(0.005)
            kill()

        killer = threading.Thread(target=kill_meanwhile)
        killer.start()
        ray = Preparation(engine="ray", **PREPARATION).prepare(TableReader(ratings), tmp_path / "ray")
        killer.join()
    assert ray.schema == memory.schema
    assert sorted(path.name for path in (tmp_path / "ray").iterdir()) == sorted(
        path.name for path in (tmp_path / "memory").iterdir()
    )
