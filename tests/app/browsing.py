"""The whole stack as a user has it, PostgreSQL, Redis, a worker and the app, and a browser that visits it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from recsys_serving.local.free_port import free_port
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings

from tests.app.conftest import PATIENCE_SECONDS, ROOT

BROWSER = Path("/usr/bin/chromium")
PATIENCE_MS = 300_000


def patient_settings(directory: Path, bundle: Path) -> ServiceSettings:
    """Settings of a service of one worker that waits for a busy machine."""
    return ServiceSettings(
        var=directory / "var",
        bundle=bundle,
        workers=1,
        deadline_seconds=60,
        store_timeout_seconds=20,
        runtime_timeout_seconds=20,
        database_timeout_seconds=20,
    )


@contextmanager
def running_app(var: Path) -> Iterator[str]:
    """Address of the app of a service, which runs as ``make app`` starts it."""
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECSYS_API")}
    environment["RECSYS_VAR"] = str(var)
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


@contextmanager
def running_browser() -> Iterator[Any]:
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

    def settle(self) -> None:
        """Wait until everything is drawn."""
        self.page.locator("h1").first.wait_for()
        for _ in range(2):
            self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
            # What is drawn again is faded meanwhile, and what is not loaded yet is grey.
            self.page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-stale=\"true\"]')")
            self.page.wait_for_timeout(1_000)

    def look_why(self) -> None:
        """Open why the first item of the list is there, and close it again."""
        self.page.get_by_role("button", name="Why?").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("table").wait_for()
        self.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")

    def outlive(self, settings: ServiceSettings, heading: str) -> None:
        """End the service, see that the page says so, and that it goes on by itself when the service is back.

        Args:
            settings: of the service.
            heading: of the page, which is there again then.
        """
        self.page.get_by_role("heading", name=heading).wait_for()
        stop(settings)
        self.page.get_by_text("Hide what is known").click()
        self.page.get_by_text("make serve").wait_for()
        start(settings, timeout_seconds=PATIENCE_SECONDS)
        self.page.get_by_role("heading", name=heading).wait_for()

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
