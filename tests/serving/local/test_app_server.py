"""The app in the background, where it does not start; that it runs is tested with the stack."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from recsys_serving.local.app_server import STATE, page_answers, running_app, start_app, stop_app
from recsys_serving.local.background_server import BackgroundServer
from recsys_serving.local.free_port import free_port
from recsys_serving.local.installation import Installation
from recsys_serving.triton.state import started_at

from recsys.errors import ServingError


def _state(host: str, port: int = 8501, started: int = 1) -> BackgroundServer:
    return BackgroundServer(os.getpid(), started, host, port, "app.log")


def test_a_program_that_is_not_there_is_told_with_what_streamlit_says(tmp_path: Path):
    installation = Installation(tmp_path / "var")
    (tmp_path / "app").mkdir()
    with pytest.raises(ServingError, match=r"(?s)The app ended before it was ready.*File does not exist"):
        start_app(installation, tmp_path / "app" / "main.py", timeout_seconds=300)
    assert running_app(installation) is None
    assert not (installation.directory / STATE).exists()


def test_a_port_that_is_taken_is_refused_before_anything_is_started(tmp_path: Path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ServingError, match="Address already in use"):
            start_app(Installation(tmp_path), tmp_path / "main.py", port=taken.getsockname()[1])
    assert not (tmp_path / STATE).exists()


def test_a_process_of_another_time_is_no_app(tmp_path: Path):
    _state("127.0.0.1").write(tmp_path / STATE)
    assert running_app(Installation(tmp_path)) is None
    _state("127.0.0.1", started=started_at(os.getpid()) or 0).write(tmp_path / STATE)
    assert running_app(Installation(tmp_path)) is not None


def test_nothing_is_stopped_where_nothing_runs(tmp_path: Path):
    assert not stop_app(Installation(tmp_path))


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:8501"), ("0.0.0.0", "http://127.0.0.1:8501"), ("::1", "http://[::1]:8501")],
)
def test_the_address_is_one_that_a_browser_here_reaches(host: str, url: str):
    assert _state(host).url == url


def test_a_port_on_which_nobody_listens_has_no_page():
    assert not page_answers(_state("127.0.0.1", free_port("127.0.0.1")))
