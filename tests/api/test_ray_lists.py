import json
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import recsys
from recsys.api.list_file import write_lists
from recsys.errors import BundleError, RecsysError, RequestError
from tests.ray_machines import ray_machines, second_node

pytestmark = pytest.mark.filterwarnings("ignore")  # those of Ray

ENGINES = ("local", "ray")


@pytest.fixture(scope="module")
def cluster():
    with ray_machines() as cluster:
        yield cluster


def test_a_cluster_that_loses_a_node_writes_each_list_once(cluster, bundle_path, tmp_path):
    bundle = recsys.load_bundle(bundle_path)
    write_lists(bundle, tmp_path / "here", k=3, part_size=1, titles=True)
    with second_node(cluster) as kill:

        def kill_meanwhile() -> None:
            while not list((tmp_path / "there").glob("part-*.parquet")):
                time.sleep(0.002)
            kill()

        killer = threading.Thread(target=kill_meanwhile)
        killer.start()
        write_lists(bundle, tmp_path / "there", k=3, part_size=1, titles=True, engine="ray")
        killer.join()
    names = [path.name for path in sorted((tmp_path / "here").iterdir())]
    assert [path.name for path in sorted((tmp_path / "there").iterdir())] == names
    assert pq.read_table(tmp_path / "there").equals(pq.read_table(tmp_path / "here"))
    manifests = [json.loads((tmp_path / name / "_manifest.json").read_text()) for name in ("here", "there")]
    assert manifests[0] == manifests[1] and manifests[0]["num_rows"] == 90


def test_a_file_is_joined_of_what_the_actors_write_and_errors_are_told(cluster, bundle_path, tmp_path):
    bundle = recsys.load_bundle(bundle_path)
    paths = [write_lists(bundle, tmp_path / f"{engine}.csv", k=2, part_size=20, engine=engine) for engine in ENGINES]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(RecsysError, match="nowhere"):
        write_lists(bundle, tmp_path / "wrong", filters={"nowhere": {"gte": 1}}, engine="ray")


def test_a_bundle_that_was_replaced_meanwhile_is_not_mixed_in(cluster, bundle_path, tmp_path, monkeypatch):
    bundle = recsys.load_bundle(bundle_path)
    monkeypatch.setattr(bundle, "identity", lambda: "another")
    with pytest.raises(BundleError, match="was replaced by another bundle meanwhile"):
        write_lists(bundle, tmp_path / "lists", engine="ray")


def test_a_run_is_refused(model, tmp_path):
    with pytest.raises(RequestError, match=r"engine=ray asks a bundle.*but a run came. Export it"):
        write_lists(model, tmp_path / "lists", engine="ray")
    with pytest.raises(RequestError, match="engine must be local or ray, but is 'spark'"):
        write_lists(model, Path("lists"), engine="spark")
