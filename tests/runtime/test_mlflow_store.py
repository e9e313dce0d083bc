import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recsys.runtime.mlflow_store import database_of, open_store

pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///mlflow.db", Path("mlflow.db")),
        ("sqlite:////abs/mlflow.db?timeout=5", Path("/abs/mlflow.db")),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("http://host:5000", None),
    ],
)
def test_the_file_of_a_database(uri, path):
    assert database_of(uri) == path


def test_a_server_that_is_not_there_is_known_at_once(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match="no server answers within 3 s"):
        open_store(f"http://127.0.0.1:{port}")


OPENER = """
import sys, time
from recsys.runtime.mlflow_store import open_store
import mlflow
while time.time() < float(sys.argv[2]):
    pass
client = open_store(sys.argv[1])
print(len(client.search_experiments()))
"""


def test_processes_that_start_at_once_on_a_fresh_database_all_find_it(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    arguments = [sys.executable, "-W", "ignore", "-c", OPENER, uri, str(time.time() + 2)]
    started = [subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.strip() == "1"
