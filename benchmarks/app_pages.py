"""The app's pages in a browser of the machine, as benchmarks drive them: whatever the data of the app are."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

BROWSER = Path("/usr/bin/chromium")
#: Milliseconds to wait for a page, and for what is drawn after it: charts, covers, fonts.
PATIENCE_MS, DRAW_MS = 300_000, 1_500
_QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def settle(page: Any) -> None:
    """Wait until Streamlit has drawn everything."""
    page.wait_for_selector(_QUIET)
    page.wait_for_timeout(DRAW_MS)
    page.wait_for_selector(_QUIET)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-stale=\"true\"]')")


def first_user(page: Any, url: str) -> str:
    """The id of the first user that the app at an address offers."""
    page.goto(url)
    settle(page)
    page.get_by_role("combobox", name="User").click()
    page.get_by_role("option").first.click()
    page.wait_for_url("**user=*")
    return parse_qs(urlsplit(page.url).query)["user"][0]


def first_item(page: Any, url: str, user: str) -> str:
    """The id of the first item of a user's list."""
    page.goto(f"{url}/?user={quote(user)}")
    page.locator(".st-key-cards").get_by_role("button", name="Open").first.click()
    page.wait_for_url("**item=*")
    return parse_qs(urlsplit(page.url).query)["item"][0]
