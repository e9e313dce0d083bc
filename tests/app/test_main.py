"""The whole stack as a user has it: PostgreSQL, Redis, a worker, the app, a browser; ``make app-check`` does more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings

from tests.app.browsing import BROWSER, Visit, patient_settings
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
    visit.look_why()
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


def test_the_first_page_is_also_found_by_its_name(visit: Visit):
    visit.open("/for-you?user=anna")
    visit.page.wait_for_url("**/?user=anna")
    visit.page.get_by_role("heading", name="For you").wait_for()
    assert visit.page.get_by_text("Page not found").count() == 0 and visit.faults == []


def test_a_page_says_that_the_service_is_away_and_goes_on_when_it_is_back(visit: Visit, settings: ServiceSettings):
    visit.open()
    visit.page.get_by_role("button", name="New visitor").click()
    visit.outlive(settings, "Recommended for visitor")
