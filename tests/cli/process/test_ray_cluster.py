"""What a cluster of several nodes does is in tests/data/preparation/streaming/test_ray_executor.py."""

import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.cli.process import extras, ray_cluster
from recsys.cli.process.ray_cluster import (
    check_shared_directory,
    cluster_cpus,
    plain_error,
    wait_for_one,
    worker_failure,
)
from recsys.data.readers.delimited import ColumnTypeError
from recsys.errors import DataError, SettingsError

CPU = {"CPU": 1.0}


@pytest.fixture(autouse=True)
def _without_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No token is found, and whether one is given is forgotten after a test: clusters of later ones ask for none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


class FakeRay:
    """Nodes that answer whether they see a path."""

    exceptions = SimpleNamespace(RayError=RuntimeError)

    def __init__(self, cpus: int = 2, sees: bool = True, done: tuple[Any, ...] = ()) -> None:
        self.cpus, self.sees, self.done = cpus, sees, list(done)

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.cpus)} if self.cpus else {}

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {
                "Alive": True,
                "NodeID": str(number) * 56,
                "NodeManagerAddress": f"10.0.0.{number}",
                "Resources": CPU,
            }
            for number in (1, 2)
        ]

    def remote(self, function: Any) -> Any:
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda path: function(path) and self.sees))

    def get(self, result: Any, timeout: float) -> Any:
        return result

    def wait(self, references: list[Any], num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        return self.done, []


def test_a_directory_that_a_machine_does_not_see_is_told_with_the_machine(tmp_path: Any) -> None:
    pytest.importorskip("ray")
    check_shared_directory(FakeRay(), tmp_path)
    with pytest.raises(SettingsError, match=r"must share .*, but 10\.0\.0\.1 does not see what is written"):
        check_shared_directory(FakeRay(sees=False), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_without_processors_is_told_also_while_a_result_is_waited_for() -> None:
    assert cluster_cpus(FakeRay(3)) == 3
    assert wait_for_one(FakeRay(done=("first",)), ["first", "second"]) == "first"
    for ask in (lambda: cluster_cpus(FakeRay(0)), lambda: wait_for_one(FakeRay(0), ["first"])):
        with pytest.raises(SettingsError, match="has no processor for tasks"):
            ask()


def test_errors_keep_their_kind_and_words_when_they_are_sent() -> None:
    error = plain_error(ColumnTypeError("row 3 has 'x'", "rating"))
    assert type(error) is DataError and str(error) == "row 3 has 'x'"
    assert "(OSError: the node died)" in str(worker_failure(OSError("first line\nthe node died")))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "are_installed", lambda *modules: False)
    with pytest.raises(SettingsError, match=r"needs the library ray.*pip install 'recsys-framework\[ray\]'"):
        with ray_cluster.ray_cluster():
            pass


def test_an_address_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def refused(**settings: Any) -> None:
        raise ConnectionError("no answer")

    monkeypatch.setattr(ray, "init", refused)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(
            SettingsError, match=f"RAY_ADDRESS={address} must name a Ray cluster.*no answer. Correct it"
        ):
            with ray_cluster.ray_cluster():
                pass


@pytest.mark.parametrize(("has_token", "mode"), [(True, "token"), (False, None)])
def test_a_cluster_is_given_the_token_that_it_may_ask_for(
    has_token: bool, mode: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    ray = pytest.importorskip("ray")
    given: list[str | None] = []
    monkeypatch.setattr(ray, "init", lambda **settings: given.append(os.environ.get("RAY_AUTH_MODE")))
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    if has_token:
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("0" * 64)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{server.getsockname()[1]}")
        with ray_cluster.ray_cluster():
            assert given == [mode]


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_ray_is_not_asked_where_nothing_listens(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "init", lambda **settings: pytest.fail("Ray would try for minutes"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"{scheme}127.0.0.1:{port}")
    with pytest.raises(SettingsError, match="must name a Ray cluster that runs, but it cannot be reached: .*refused"):
        with ray_cluster.ray_cluster():
            pass
