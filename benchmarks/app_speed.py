"""How long a person waits for the app: until a page is useful, and from a rating to the changed list, in a browser.

The service and the app run already (``make serve``, ``make app``). Each round is a browser context of its own, with an
empty cache, as a new visitor has it; ratings are of new visitors, so use a service that is for trying.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

BROWSER = Path("/usr/bin/chromium")
PATIENCE_MS = 60_000
_TITLES = "() => [...document.querySelectorAll('.st-key-cards .rs-title')].map(one => one.textContent).join('|')"


def main() -> None:
    """Measure, and print milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="of the app")
    parser.add_argument("--user", default="196", help="whose list is opened")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ratings", type=int, default=3, help="in each round")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    paints, again, changes = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for _ in range(arguments.rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            paints.append(_until_cards(page, f"{arguments.url}/?user={arguments.user}"))
            again.append(_until_cards(page, f"{arguments.url}/?user={arguments.user}"))
            changes += _ratings(page, arguments.url, arguments.ratings)
            context.close()
        browser.close()
    for name, values in (
        ("first useful paint, empty cache", paints),
        ("the same page again", again),
        ("from a rating to the changed list", changes),
    ):
        print(f"{name}: median {statistics.median(values):,.0f} ms, {json.dumps([round(one) for one in values])}")


def _until_cards(page: Any, url: str) -> float:
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(".st-key-cards .rs-title").first.wait_for()
    return 1_000 * (time.perf_counter() - start)


def _ratings(page: Any, url: str, count: int) -> list[float]:
    """Rate what a new visitor is asked about; the list is changed when its titles are others."""
    page.goto(url)
    page.get_by_role("button", name="New visitor").click()
    page.locator(".st-key-cards .rs-title").first.wait_for()
    found = []
    for number in range(count):
        page.wait_for_timeout(1_500)  # whoever rates looks at the next item first
        before = page.evaluate(_TITLES)
        stars = page.locator("[class*='st-key-ask-']").first.get_by_role("radio")
        start = time.perf_counter()
        stars.nth(4 - number % 2).click()
        page.wait_for_function(f"before => {{ const now = ({_TITLES})(); return now && now !== before; }}", arg=before)
        found.append(1_000 * (time.perf_counter() - start))
    return found


if __name__ == "__main__":
    main()
