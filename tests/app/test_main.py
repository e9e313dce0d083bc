"""The whole stack as a user has it: PostgreSQL, Redis, a worker, the app, a browser; ``make app-check`` does more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings

from tests.app.browsing import BROWSER, Visit, patient_settings, running_app, running_browser
from tests.app.conftest import PATIENCE_SECONDS
from tests.export.board_bundles import board_bundle

pytestmark = pytest.mark.skipif(not BROWSER.exists(), reason=f"{BROWSER} is not installed")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceSettings]:
    """A service of this module, which runs."""
    settings = patient_settings(tmp_path_factory.mktemp("stack"), board_bundle("ease"))
    start(settings, timeout_seconds=PATIENCE_SECONDS)
    yield settings
    stop(settings)


@pytest.fixture(scope="module")
def url(settings: ServiceSettings) -> Iterator[str]:
    """Address of the app."""
    with running_app(settings.var) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    with running_browser() as browser:
        yield browser


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
