import socket
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from recsys.runtime.versions.mlflow_store import absolute_uri, database_of, one_at_a_time, open_store

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


def test_a_store_stays_in_the_directory_in_which_it_was_opened(tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        open_store("sqlite:///mlflow.db").create_experiment(name)
    second = open_store(f"sqlite:///{tmp_path}/second/mlflow.db")
    assert {found.name for found in second.search_experiments()} == {"Default", "second"}


@pytest.mark.parametrize("uri", ["sqlite:////abs/mlflow.db?timeout=5", "sqlite:///:memory:", "http://host:5000"])
def test_an_address_free_of_the_working_directory_stays_as_it_is(uri):
    assert absolute_uri(uri) == uri


def test_a_server_that_is_not_there_is_known_at_once(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match="no server answers within 3 s"):
        open_store(f"http://127.0.0.1:{port}")


def is_free(path):
    """Whether nobody holds the lock; asked through a file handle of its own, as another process would."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def test_a_database_is_opened_by_one_process_at_a_time(tmp_path):
    lock = tmp_path / ".mlflow.db.lock"
    with one_at_a_time(f"sqlite:///{tmp_path}/mlflow.db"):
        assert not is_free(lock)
    assert is_free(lock)


def test_a_server_or_a_directory_that_is_not_there_needs_no_lock(tmp_path):
    for uri in ("http://host:5000", f"sqlite:///{tmp_path}/away/mlflow.db"):
        with one_at_a_time(uri):
            pass
    assert list(tmp_path.iterdir()) == []
