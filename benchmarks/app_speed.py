"""How long a person waits for the app: until a page is useful, and from a rating to the changed list, in a browser.

The service and the app run already (``make up``). Each round is a browser context of its own, with an empty cache, as a
new visitor has it; ratings are of new visitors, so use a service that is for trying. Where the data have no ratings,
likes are told instead. On a machine with other work wall time says little: the seconds of processor time do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import psutil
from app_pages import BROWSER, PATIENCE_MS, first_user

_TITLES = "() => [...document.querySelectorAll('.st-key-cards .rs-title')].map(one => one.textContent).join('|')"


class Wait(NamedTuple):
    """What a person waited for.

    Args:
        milliseconds: of wall time.
        app_ms: of processor time of the app's server.
        browser_ms: of processor time of the browser.
    """

    milliseconds: float
    app_ms: float
    browser_ms: float


class Stopwatch:
    """Measures what is done in a browser of this process.

    Args:
        url: of the app, which runs on this machine or elsewhere.
    """

    def __init__(self, url: str) -> None:
        port = urlsplit(url).port
        listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
        pids = [one.pid for one in listening if one.laddr.port == port and one.pid is not None]
        self._app = [psutil.Process(pid) for pid in pids]

    def measure(self, act: Callable[[], object]) -> Wait:
        """Do something, and say what it took."""
        app, browser, start = _processor_ms(self._app), _processor_ms(_browsers()), time.perf_counter()
        act()
        milliseconds = 1_000 * (time.perf_counter() - start)
        return Wait(milliseconds, _processor_ms(self._app) - app, _processor_ms(_browsers()) - browser)


def main() -> None:
    """Measure, and print milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="of the app")
    parser.add_argument("--user", help="whose list is opened; the first that the app offers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ratings", type=int, default=3, help="in each round")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    paints, again, changes = [], [], []
    watch = Stopwatch(arguments.url)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        user = arguments.user or first_user(browser.new_page(), arguments.url)
        url = f"{arguments.url}/?user={quote(user)}"
        for _ in range(arguments.rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            paints.append(watch.measure(lambda page=page: _open(page, url)))
            again.append(watch.measure(lambda page=page: _open(page, url)))
            changes += _ratings(watch, page, arguments.url, arguments.ratings)
            context.close()
        browser.close()
    for name, waits in (
        ("first useful paint, empty cache", paints),
        ("the same page again", again),
        ("from a rating to the changed list", changes),
    ):
        wall, app, browser_ms = (statistics.median(values) for values in zip(*waits, strict=True))
        each = json.dumps([round(one.milliseconds) for one in waits])
        print(f"{name}: median {wall:,.0f} ms (processor: app {app:,.0f} ms, browser {browser_ms:,.0f} ms), {each}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def _open(page: Any, url: str) -> None:
    page.goto(url, wait_until="commit")
    page.locator(".st-key-cards .rs-title").first.wait_for()


def _ratings(watch: Stopwatch, page: Any, url: str, count: int) -> list[Wait]:
    """Rate or like what a new visitor is asked about; the list is changed when its titles are others."""
    page.goto(url)
    page.get_by_role("button", name="New visitor").click()
    page.locator(".st-key-cards .rs-title").first.wait_for()
    found = []
    for number in range(count):
        page.wait_for_timeout(1_500)  # whoever rates looks at the next item first
        found.append(watch.measure(lambda number=number: _rate(page, number)))
    return found


def _rate(page: Any, number: int) -> None:
    before = page.evaluate(_TITLES)
    asked = page.locator("[class*='st-key-ask-']").first
    like = asked.get_by_role("button", name="Like")
    (like if like.count() else asked.get_by_role("radio").nth(4 - number % 2)).click()
    page.wait_for_function(f"before => {{ const now = ({_TITLES})(); return now && now !== before; }}", arg=before)


def _browsers() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _processor_ms(processes: list[psutil.Process]) -> float:
    """Processor time of processes and of those of theirs that have ended."""
    total = 0.0
    for one in processes:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return 1_000 * total


if __name__ == "__main__":
    main()
