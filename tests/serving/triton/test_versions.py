"""Which version answers, and in which order a server is told: with a stand-in for its client, and on a server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from recsys_serving.triton.client import TritonRecommender
from recsys_serving.triton.launcher import is_ready
from recsys_serving.triton.model_config import read_config
from recsys_serving.triton.repository import served_version, write_repository
from recsys_serving.triton.state import ServerState
from recsys_serving.triton.versions import swap_version
from tritonclient.utils import InferenceServerException

from recsys.errors import ExportError, ServingError
from recsys.runtime.recommendation import Recommendation
from recsys.runtime.request import RecommendationRequest
from tests.serving.triton.board_versions import BUNDLES, Expected, bundle_of, swap, write
from tests.serving.triton.skeleton_repository import write_skeleton

URL = "127.0.0.1:8001"


class StandIn:
    """Triton's gRPC client: remembers what it is to load, and which version the repository then says."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self.loaded: list[tuple[str, list[int]]] = []
        self.settings: list[dict[str, Any]] = []
        self.broken: str | None = None

    def __call__(self, url: str) -> StandIn:
        assert url == URL
        return self

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def load_model(self, name: str, **settings: Any) -> None:
        if name == self.broken:
            raise InferenceServerException(f"failed to load {name}", "StatusCode.INVALID_ARGUMENT")
        config = read_config(self._models / name / "config.pbtxt")
        self.loaded.append((name, list(config.version_policy.specific.versions)))
        self.settings.append(settings)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Versions 7 and 8, of which 7 answers."""
    path = tmp_path / "models"
    for version in (8, 7):
        write_skeleton(path, version)
    assert served_version(path) == 7
    return path


@pytest.fixture
def triton(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.delenv("RECSYS_ADMIN_KEY", raising=False)
    stand_in = StandIn(models)
    monkeypatch.setattr("tritonclient.grpc.InferenceServerClient", stand_in)
    yield stand_in


def versions(models: Path) -> dict[str, list[int]]:
    """Which versions are loaded, by the configurations."""
    return {
        path.parent.name: list(read_config(path).version_policy.specific.versions)
        for path in models.glob("*/config.pbtxt")
    }


def test_models_are_loaded_beside_those_that_answer_and_what_is_asked_last(models: Path, triton: StandIn):
    swap_version(models, 8, URL)
    assert triton.loaded == [("ranker", [7, 8]), ("recommender", [7, 8]), ("similar", [8]), ("recommend", [8])]
    assert served_version(models) == 8


def test_rolling_back_is_the_same_with_an_older_one(models: Path, triton: StandIn):
    swap_version(models, 8, URL)
    before = list(triton.loaded)
    swap_version(models, 7, URL)
    assert triton.loaded[len(before) :] == [
        ("ranker", [7, 8]),
        ("recommender", [7, 8]),
        ("similar", [7]),
        ("recommend", [7]),
    ]


@pytest.mark.parametrize("broken", ["ranker", "recommender"])
def test_a_model_that_does_not_load_leaves_the_version_that_answers(models: Path, triton: StandIn, broken: str):
    triton.broken = broken
    expected = {"recommend": [7], "similar": [7], "recommender": [7], "ranker": [7]}
    with pytest.raises(
        ServingError, match=f"Version 8 of .* cannot be loaded, so version 7 goes on answering.*to load {broken}"
    ):
        swap_version(models, 8, URL)
    assert versions(models) == expected
    assert "recommend" not in dict(triton.loaded)


def test_every_load_has_the_key_and_the_time_it_may_take(models: Path, triton: StandIn):
    swap_version(models, 8, URL, timeout_seconds=3, admin_key="ours")
    header = {"triton-grpc-protocol-recsys-admin-key": "ours"}
    assert triton.settings == [{"headers": header, "client_timeout": 3}] * 4


def test_a_version_that_does_not_exist_reaches_no_server(models: Path, triton: StandIn):
    with pytest.raises(ExportError, match="must have version 77 to serve it, but has 7, 8"):
        swap_version(models, 77, URL)
    assert not triton.loaded and served_version(models) == 7


@pytest.mark.triton
def test_versions_are_exchanged_under_load_and_no_request_is_lost(server: ServerState, repository: Path):
    asked = RecommendationRequest(history=["i02", "i08"], k=5)
    for version in BUNDLES:
        write(repository, version)
    swap(server, repository, 1)
    expected = {version: Expected(version, [asked]) for version in BUNDLES}
    exchanged = Event()
    with TritonRecommender(server.grpc_url, timeout_seconds=120) as recommender, ThreadPoolExecutor(5) as pool:

        def ask() -> tuple[list[Recommendation], list[Recommendation]]:
            """250 answers, and those that were asked for until every version was exchanged."""
            first = [recommender.recommend_one(asked) for _ in range(250)]
            later = []
            while not exchanged.is_set():
                later.append(recommender.recommend_one(asked))
            return first, later

        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for version in (3, 2, 1):
                swap(server, repository, version)
        finally:
            exchanged.set()
        results = [future.result() for future in asking]
    first, later = ([answer for result in results for answer in result[part]] for part in (0, 1))
    assert len(first) == 1000
    assert len({int(answer.model_version) for answer in first + later}) > 1
    for answer in first + later:
        expected[int(answer.model_version)].check(0, answer)


@pytest.mark.triton
def test_a_version_that_cannot_be_loaded_changes_nothing(server: ServerState, repository: Path):
    asked, before = RecommendationRequest(history=["i02"], k=3), served_version(repository)
    write_repository(bundle_of(2), repository, 9)
    model = repository / "recommender" / "9" / "model.py"
    whole = model.read_text(encoding="utf-8")
    model.write_text("raise RuntimeError('broken on purpose')", encoding="utf-8")
    with TritonRecommender(server.grpc_url, timeout_seconds=60) as recommender:
        with pytest.raises(ServingError, match=rf"so version {before} goes on answering.*broken on purpose"):
            swap(server, repository, 9)
        assert served_version(repository) == int(recommender.recommend_one(asked).model_version) == before
        assert is_ready(server)
        model.write_text(whole, encoding="utf-8")
        swap(server, repository, 9)
        assert int(recommender.recommend_one(asked).model_version) == 9


@pytest.mark.triton
def test_a_damaged_file_of_a_bundle_is_not_served(server: ServerState, repository: Path):
    write_repository(bundle_of(1), repository, 10)
    path = repository / "recommender" / "10" / "bundle" / "popularity.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ServingError, match=r"cannot be loaded.*popularity\.npy was changed or damaged"):
        swap(server, repository, 10)


@pytest.mark.triton
def test_a_version_that_does_not_exist_is_refused(server: ServerState, repository: Path):
    with pytest.raises(ExportError, match="must have version 77 to serve it, but has 1"):
        swap(server, repository, 77)
