"""A real service on a port, with a small bundle, and pages that ask it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import streamlit as st
import uvicorn
from recsys_serving.api.app import create_app
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.local.free_port import free_port
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.store import Store
from streamlit.testing.v1 import AppTest

from app.service.address import KEY_VARIABLE, URL_VARIABLE, VAR_VARIABLE, ServiceAddress
from app.service.api import ServiceApi
from tests.export.board_bundles import board_bundle
from tests.serving.conftest import database_url, postgres_server, store

if TYPE_CHECKING:
    from tests.app.browsing import Visit

__all__ = ["database_url", "postgres_server", "store"]

ROOT = Path(__file__).parents[2]
#: Longer than any page takes on any machine.
PATIENCE_SECONDS = 600

OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing is known of a service but what a test says, and nothing is kept after it.

    Streamlit puts the script of a page in the place of the main program, where processes that later tests start would
    look for it.
    """
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    for name in (URL_VARIABLE, KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(VAR_VARIABLE, str(tmp_path / "var"))
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def address(
    database_url: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServiceAddress]:
    """A service that runs, as pages find it."""
    key, record = new_key("app", ["read", "write", "admin"])
    store.api_keys.create(record)
    settings = ServiceSettings(
        database_url=database_url,  # type: ignore[arg-type]
        redis_url="memory",  # type: ignore[arg-type]
        var=tmp_path / "installation",
        bundle=board_bundle("ease"),
        deadline_seconds=60,
        store_timeout_seconds=20,
        runtime_timeout_seconds=20,
        database_timeout_seconds=20,
    )
    port = free_port("127.0.0.1")
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + PATIENCE_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.02)
    assert httpx.get(f"{url}/readyz", timeout=PATIENCE_SECONDS).status_code == 200
    monkeypatch.setenv(URL_VARIABLE, url)
    monkeypatch.setenv(KEY_VARIABLE, key)
    yield ServiceAddress(url, key)
    st.cache_resource.clear()  # closes connections, for which the server would wait
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)


@pytest.fixture
def api(address: ServiceAddress) -> Iterator[ServiceApi]:
    """A client of the service."""
    api = ServiceApi(address)
    yield api
    api.close()


@pytest.fixture
def open_page() -> OpenPage:
    """Opens a page: ``open_page("for_you", user="anna")``."""

    def opened(name: str, **query: str) -> AppTest:
        page = AppTest.from_file(ROOT / "app" / "views" / f"{name}.py", default_timeout=PATIENCE_SECONDS)
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return opened


def texts(page: AppTest) -> str:
    """Everything that a page says."""
    kinds = (
        page.markdown,
        page.caption,
        page.info,
        page.error,
        page.warning,
        page.success,
        page.subheader,
        page.header,
    )
    written = [str(one.value) for kind in kinds for one in kind]
    return "\n".join([*written, *(str(one.proto.body) for one in page.get("html"))])


@pytest.fixture(scope="module")
def url(settings: ServiceSettings) -> Iterator[str]:
    """Address of an app of the service that a module has started, whose settings are its fixture."""
    from tests.app.browsing import running_app

    with running_app(settings.var) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    from tests.app.browsing import running_browser

    with running_browser() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any, url: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit at a width and in a colour scheme."""
    from tests.app.browsing import Visit

    width, scheme = getattr(request, "param", (1280, "light"))
    visit = Visit(browser, url, width, scheme)
    yield visit
    visit.context.close()
