"""Every page of the app on the whole stack, in a browser: what takes too long for each run of the tests.

``make app-check``, or ``python -m pytest tests/app/check_app.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings

from app.service.address import find_service
from tests.app.browsing import BROWSER, Visit, patient_settings
from tests.app.conftest import PATIENCE_SECONDS
from tests.export.board_bundles import board_bundle

pytestmark = pytest.mark.skipif(not BROWSER.exists(), reason=f"{BROWSER} is not installed")

#: Rules of axe that Streamlit itself breaks, with the thread where it is told.
UPSTREAM: dict[str, str] = {}

#: Each page, and a section of it that is chosen first.
PAGES = (
    ("/?user=anna", None),
    ("/for-you?user=anna", None),
    ("/item?item=i04", None),
    ("/compare?user=anna", None),
    ("/models", None),
    ("/models", "Map of items"),
    ("/experiments", None),
    ("/experiments", "New"),
    ("/experiments", "Power"),
    ("/experiments", "Off-policy"),
    ("/system", None),
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceSettings]:
    """A service with two bundles, which runs."""
    directory = tmp_path_factory.mktemp("stack")
    (directory / "bundles").mkdir()
    for name in ("ease", "two_tower"):
        (directory / "bundles" / name).symlink_to(board_bundle(name))
    settings = patient_settings(directory, directory / "bundles" / "ease")
    start(settings, timeout_seconds=PATIENCE_SECONDS)
    yield settings
    stop(settings)


@pytest.fixture(scope="module")
def client(settings: ServiceSettings) -> Iterator[httpx.Client]:
    """Asks the service."""
    address = find_service({"RECSYS_VAR": str(settings.var)})
    headers = {"Authorization": f"Bearer {address.key}"}
    with httpx.Client(base_url=address.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def titles(visit: Visit) -> list[str]:
    """Of the list, in its order."""
    found: list[str] = visit.page.locator(".st-key-cards .rs-title").all_text_contents()
    return found


def test_a_new_user_rates_five_items_and_each_changes_the_list(visit: Visit):
    page = visit.page
    visit.open()
    page.get_by_role("button", name="New visitor").click()
    page.get_by_text("This is what is popular").wait_for()
    for number in range(5):
        visit.settle()
        before = titles(visit)
        page.locator("[class*='st-key-ask-']").first.get_by_role("radio").nth(4).click()
        page.get_by_role("tab", name=f"Rated ({number + 1})").wait_for()
        visit.settle()
        assert titles(visit) != before
    visit.look_why()
    page.get_by_role("tab", name="What if?").click()
    page.get_by_role("combobox", name="Without").click()
    page.get_by_role("option").first.click()
    page.get_by_role("columnheader", name="With it").wait_for()
    assert page.get_by_text("Both lists are the same.").count() == 0
    assert visit.faults == []


def test_an_item_is_found_misspelt_and_with_the_keyboard_alone(visit: Visit):
    visit.open("/item")
    visit.page.get_by_placeholder("Title or id").press_sequentially("Sqare 1")
    visit.page.locator(".st-key-matches").get_by_role("button", name="Open").first.press("Enter")
    visit.page.get_by_role("heading", name="Similar by taste").wait_for()
    assert visit.faults == []


def test_two_models_are_compared(visit: Visit, client: httpx.Client):
    for item_id in ("i02", "i04"):
        told = {"user_id": "anna", "item_id": item_id, "type": "rating", "value": 5}
        assert client.post("/v1/interactions", json=told).is_success
    visit.open("/compare?user=anna")
    page = visit.page
    page.get_by_role("heading", name="Bundle two_tower").wait_for()
    page.get_by_role("tab", name="What moved, and why").click()
    page.get_by_role("columnheader", name="Why").wait_for()
    page.get_by_role("tab", name="The way to a list").click()
    page.get_by_text("found by EASE").first.wait_for()
    page.get_by_role("radio", name="Second").click()
    page.get_by_text("found by TwoTower").first.wait_for()
    assert visit.faults == []


def test_a_bundle_is_made_live_and_taken_back(visit: Visit):
    visit.open("/models")
    page = visit.page
    page.get_by_role("combobox", name="Another bundle").click()
    page.get_by_role("option", name="two_tower").click()
    page.get_by_role("button", name="Make it live").click()
    page.get_by_role("dialog").get_by_role("button", name="Make it live").click()
    page.get_by_text("two_tower answers now.").wait_for()
    page.get_by_role("button", name="Go back to the one before").click()
    page.get_by_role("dialog").get_by_role("button", name="Go back", exact=True).click()
    page.get_by_text("ease answers now.").wait_for()
    assert visit.faults == []


def test_an_experiment_is_made_gets_traffic_and_shows_results(visit: Visit, client: httpx.Client):
    visit.open("/experiments")
    page = visit.page
    page.get_by_role("radio", name="New", exact=True).click()
    page.get_by_role("textbox", name="Name").fill("More diverse lists")
    for label in ("Hours in which lists of a user count", "Hours in which what follows a list counts"):
        page.get_by_role("spinbutton", name=label).fill("0.001")
    page.get_by_role("button", name="Make a draft").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Pause").wait_for()
    simulate(client, num_users=400)
    page.get_by_text("Read again every 10 seconds").click()
    page.get_by_role("radio", name="minute", exact=True).click()
    page.get_by_text("Better.").first.wait_for()
    page.get_by_text("Sample ratio:").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    page.get_by_text("It is over").wait_for()
    assert visit.faults == []


def simulate(client: httpx.Client, num_users: int) -> None:
    """Users who are shown a list; of treatment each second one clicks, of control each tenth."""
    counts: dict[str, int] = {}
    for start_at in range(0, num_users, 50):
        requests = [{"user_id": f"user-{number}", "k": 3} for number in range(start_at, start_at + 50)]
        found = client.post("/v1/recommendations", json={"requests": requests}).json()["recommendations"]
        clicks = []
        for one in found:
            variant = str(one["variant"])
            counts[variant] = number = counts.get(variant, 0) + 1
            if number % (2 if variant == "treatment" else 10) == 0:
                about = {"recommendation_id": one["recommendation_id"], "position": 1}
                item_id = one["items"][0]["item_id"]
                clicks.append({"user_id": one["user_id"], "item_id": item_id, "type": "click", **about})
        if clicks:
            assert client.post("/v1/interactions/batch", json={"interactions": clicks}).is_success


@pytest.mark.parametrize(
    "visit",
    [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")],
    indirect=True,
    ids=["wide light", "wide dark", "narrow light", "narrow dark"],
)
def test_every_page_is_accessible_fits_and_says_nothing_to_the_console(visit: Visit, request: pytest.FixtureRequest):
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for path, section in PAGES:
        visit.open(path)
        visit.settle()
        if section is not None:
            visit.page.get_by_role("radio", name=section, exact=True).click()
            visit.settle()
        if visit.overflow > 0:
            found.append(f"{path} {section}: {visit.overflow} pixels too wide")
        for violation in Axe().run(visit.page).response["violations"]:
            if violation["id"] not in UPSTREAM:
                places = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
                found.append(f"{path} {section}: {violation['id']} at {places}")
    assert found == [] and visit.faults == []


def test_a_page_says_that_the_service_is_away_and_goes_on_when_it_is_back(visit: Visit, settings: ServiceSettings):
    visit.open("/compare?user=anna")
    visit.outlive(settings, "Bundle two_tower")
