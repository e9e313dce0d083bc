"""Everything at once, as ``make up`` starts it: PostgreSQL, Redis, Triton, workers and the app."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from recsys_serving.local.app_server import running_app
from recsys_serving.local.installation import Installation
from recsys_serving.local.stack import AppOptions, Stack, read_stack, start_stack, stop_stack
from recsys_serving.settings import ServiceSettings

from recsys.errors import BundleError, ServingError
from tests.export.board_bundles import board_bundle

APP = AppOptions(Path(__file__).parents[3] / "app" / "main.py")
PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServiceSettings:
    return ServiceSettings(
        var=tmp_path_factory.mktemp("stack") / "var",
        bundle=board_bundle("ease"),
        workers=1,
        deadline_seconds=60,
        store_timeout_seconds=20,
        runtime_timeout_seconds=20,
        database_timeout_seconds=20,
    )


@pytest.fixture(scope="module")
def stack(settings: ServiceSettings, triton_environment: Path) -> Iterator[Stack]:
    yield start_stack(settings, APP, triton_environment, timeout_seconds=PATIENCE_SECONDS)
    stop_stack(settings)


@pytest.mark.triton
def test_all_parts_run_and_the_app_finds_the_service(stack: Stack, settings: ServiceSettings):
    assert stack.answers and stack.service is not None and stack.app is not None and stack.triton is not None
    with urllib.request.urlopen(f"{stack.service.url}/readyz", timeout=60) as answer:
        assert json.load(answer)["dependencies"]["triton"]["status"] == "up"
    installation = Installation.of(settings)
    assert installation.log.is_file() and installation.app_log.is_file() and Path(stack.triton.log).is_file()
    assert Path(f"/proc/{stack.app.pid}/environ").read_bytes().count(f"RECSYS_VAR={installation.directory}".encode())


@pytest.mark.triton
def test_started_again_it_is_what_ran_before(stack: Stack, settings: ServiceSettings):
    said: list[str] = []
    assert start_stack(settings, APP, say=said.append) == stack
    assert said == []


@pytest.mark.triton
def test_another_bundle_is_refused_and_all_goes_on(stack: Stack, settings: ServiceSettings, tmp_path: Path):
    other = settings.model_copy(update={"bundle": tmp_path / "other"})
    with pytest.raises(ServingError, match="other was asked for. Stop it first"):
        start_stack(other, APP)
    assert read_stack(settings) == stack and stack.answers


@pytest.mark.triton
def test_stopped_nothing_is_left(stack: Stack, settings: ServiceSettings):
    assert stop_stack(settings) == ["app", "service", "Triton"]
    assert read_stack(settings) == Stack(None, None, None)
    assert not stack.answers
    assert stop_stack(settings) == []


def test_where_one_part_is_missing_the_stack_does_not_answer():
    assert not Stack(None, None, None).answers


def test_what_was_started_is_stopped_where_a_later_part_cannot_be(tmp_path: Path):
    settings = ServiceSettings(var=tmp_path / "var", bundle=tmp_path / "none", redis_url="memory")
    with pytest.raises(BundleError):
        start_stack(settings, replace(APP, port=1))
    assert running_app(Installation.of(settings)) is None and read_stack(settings).service is None
