"""The whole stack as a user has it: PostgreSQL, Redis and workers, the app, and a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from recsys_serving.local.free_port import free_port
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings

from tests.app.conftest import PATIENCE_SECONDS, ROOT
from tests.export.board_bundles import board_bundle

BROWSER = Path("/usr/bin/chromium")
PATIENCE_MS = 300_000

pytestmark = pytest.mark.skipif(not BROWSER.exists(), reason=f"{BROWSER} is not installed")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceSettings]:
    """A service of this module, which runs."""
    directory = tmp_path_factory.mktemp("stack")
    settings = ServiceSettings(
        var=directory / "var",
        bundle=board_bundle("ease"),
        workers=1,
        deadline_seconds=60,
        store_timeout_seconds=20,
        runtime_timeout_seconds=20,
        database_timeout_seconds=20,
    )
    start(settings, timeout_seconds=PATIENCE_SECONDS)
    yield settings
    stop(settings)


@pytest.fixture(scope="module")
def url(settings: ServiceSettings) -> Iterator[str]:
    """Address of the app, which runs as ``make app`` starts it."""
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECSYS_API")}
    environment["RECSYS_VAR"] = str(settings.var)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as app:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and app.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=30).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        app.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=arguments, timeout=PATIENCE_MS)
        yield browser
        browser.close()


class Visit:
    """A page of the browser, and what it should not have done."""

    def __init__(self, browser: Any, url: str, width: int, scheme: str) -> None:
        self._url = url
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda message: self._said(message))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def open(self, path: str = "/") -> None:
        self.page.goto(self._url + path)

    def _said(self, message: Any) -> None:
        # Opened by its address, a page first looks for Streamlit below that address.
        if message.type in ("error", "warning") and "/_stcore/" not in message.location.get("url", ""):
            self.faults.append(message.text)

    def _asked(self, asked: str) -> None:
        if not asked.startswith((self._url, self._url.replace("http", "ws"), "data:", "blob:")):
            self.faults.append(f"asked {asked}")

    @property
    def overflow(self) -> int:
        """Pixels that the page is wider than the window."""
        pixels: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return pixels


@pytest.fixture
def visit(browser: Any, url: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit at a width and in a colour scheme."""
    width, scheme = getattr(request, "param", (1280, "light"))
    visit = Visit(browser, url, width, scheme)
    yield visit
    visit.context.close()


@pytest.mark.parametrize(
    "visit", [(1280, "light"), (390, "dark")], indirect=True, ids=["wide and light", "narrow and dark"]
)
def test_a_visitor_rates_asks_why_and_opens_an_item(visit: Visit):
    page = visit.page
    visit.open()
    page.get_by_role("button", name="New visitor").click()
    page.get_by_text("This is what is popular").wait_for()
    page.locator("[class*='st-key-ask-']").first.get_by_role("radio").nth(4).click()
    page.get_by_text("Because you liked").first.wait_for()
    page.get_by_text("This is what is popular").wait_for(state="detached")
    page.get_by_role("button", name="Why?").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("table").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert visit.overflow <= 0
    page.locator(".st-key-cards").get_by_role("button", name="Open").first.click()
    page.get_by_role("heading", name="Similar by content").wait_for()
    page.get_by_role("heading", name="What users do with it").wait_for()
    assert re.search(r"/item\?item=i\d\d$", page.url)
    assert visit.overflow <= 0 and visit.faults == []


def test_an_item_is_found_while_it_is_typed_and_misspelt(visit: Visit):
    visit.open("/item")
    visit.page.get_by_placeholder("Title or id").press_sequentially("Sqare 1")
    visit.page.locator(".st-key-matches").get_by_text("Square 1", exact=True).wait_for()
    visit.page.locator(".st-key-matches").get_by_role("button", name="Open").first.press("Enter")
    visit.page.get_by_role("heading", name="Similar by taste").wait_for()
    assert visit.faults == []


def test_the_system_page_draws_its_numbers(visit: Visit):
    visit.open("/system")
    visit.page.get_by_text("Everything answers.").wait_for()
    visit.page.get_by_role("heading", name="Stages of a list").wait_for()
    assert visit.overflow <= 0 and visit.faults == []


def test_a_page_says_that_the_service_is_away_and_goes_on_when_it_is_back(visit: Visit, settings: ServiceSettings):
    visit.open()
    visit.page.get_by_role("button", name="New visitor").click()
    visit.page.get_by_role("heading", name="Recommended to visitor").wait_for()
    stop(settings)
    visit.page.get_by_text("Hide what is known").click()
    visit.page.get_by_text("make serve").wait_for()
    start(settings, timeout_seconds=PATIENCE_SECONDS)
    visit.page.get_by_role("heading", name="Recommended to visitor").wait_for()
