"""Pictures of every page of the app, wide and narrow, light and dark: ``make screenshots``.

The service and the app run already (``make up``). Nothing but the browser is started here: one of the machine, which
Playwright drives. Whose lists are shown, and which item, are the first that the app has, whatever its data are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app_pages import BROWSER, PATIENCE_MS, first_item, first_user, settle

WIDTHS = {"wide": 1280, "narrow": 390}
SCHEMES = ("light", "dark")
#: Each picture: the page's address, and what is done there first.
Shots = dict[str, tuple[str, Callable[[Any], None]]]


def main() -> None:
    """Take the pictures."""
    arguments = _arguments()
    from playwright.sync_api import sync_playwright

    arguments.output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        user, item = _subjects(browser, arguments)
        print(f"user {user}, item {item}", flush=True)
        for size in arguments.sizes:
            for scheme in arguments.schemes:
                width = WIDTHS[size]
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=arguments.scale
                )
                context.set_default_timeout(PATIENCE_MS)
                _take(context.new_page(), arguments, _shots(user, item), f"{size}-{scheme}")
                context.close()
        browser.close()


def _subjects(browser: Any, arguments: argparse.Namespace) -> tuple[str, str]:
    """The user and the item that are shown: those that are named, else the first user, and the first of their list."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    user = arguments.user or first_user(page, arguments.url)
    item = arguments.item or first_item(page, arguments.url, user)
    page.close()
    return user, item


def _take(page: Any, arguments: argparse.Namespace, shots: Shots, suffix: str) -> None:
    for name, (path, prepare) in shots.items():
        if arguments.only and not any(name.startswith(one) for one in arguments.only):
            continue
        page.goto(arguments.url + path)
        settle(page)
        prepare(page)
        settle(page)
        target = arguments.output / f"{name}-{suffix}.png"
        page.screenshot(path=target, full_page=False, animations="disabled")
        if arguments.whole:
            _whole(page, arguments.output / f"{name}-{suffix}-whole.png")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        print(f"{target} {f'OVERFLOW {overflow} px' if overflow > 0 else ''}", flush=True)


def _whole(page: Any, path: Path) -> None:
    """The page with all that is below; Streamlit scrolls inside of a part, so the window grows."""
    size = page.viewport_size
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(height + 60, 6_000)})
    settle(page)
    page.screenshot(path=path, animations="disabled")
    page.set_viewport_size(size)


def _shots(user: str, item: str) -> Shots:
    user, item = quote(user), quote(item)
    return {
        "for-you": (f"/?user={user}", _nothing),
        "for-you-why": (f"/?user={user}", lambda page: page.get_by_role("button", name="Why?").first.click()),
        "for-you-what-if": (f"/?user={user}", _what_if),
        "for-you-new": ("/", lambda page: page.get_by_role("button", name="New visitor").click()),
        "item": (f"/item?item={item}", _nothing),
        "item-search": (f"/item?item={item}", _search),
        "compare": (f"/compare?user={user}", _nothing),
        "compare-moves": (f"/compare?user={user}", _tab("What moved, and why")),
        "compare-trace": (f"/compare?user={user}", _tab("The way to a list")),
        "models": ("/models", _nothing),
        "models-segments": ("/models", _section("Segments")),
        "models-curves": ("/models", _section("Learning curves")),
        "models-map": ("/models", _section("Map of items")),
        "models-runs": ("/models", _section("Runs")),
        "experiments": ("/experiments", _minutes),
        "experiments-new": ("/experiments", _section("New")),
        "experiments-power": ("/experiments", _section("Power")),
        "experiments-off-policy": ("/experiments", _judge),
        "system": ("/system", _nothing),
        "for-you-filters": (f"/?user={user}", _filters),  # the last: on a phone they stay open, above the page
    }


def _nothing(page: Any) -> None:
    pass


def _tab(name: str) -> Callable[[Any], None]:
    return lambda page: page.get_by_role("tab", name=name).click()


def _section(name: str) -> Callable[[Any], None]:
    return lambda page: page.get_by_role("radio", name=name, exact=True).click()


def _what_if(page: Any) -> None:
    page.get_by_role("tab", name="What if?").click()
    page.get_by_role("combobox", name="Without").click()
    page.get_by_role("option").first.click()


def _filters(page: Any) -> None:
    """Where there is room the filters are there; on a phone they are opened."""
    button = page.get_by_test_id("stExpandSidebarButton")
    if button.is_visible():
        button.click()


def _search(page: Any) -> None:
    """Search for the item that is open, with two letters of its title the wrong way round."""
    title = page.get_by_role("heading", level=2).first.text_content()
    page.get_by_placeholder("Title or id").press_sequentially(title[:1] + title[2:3] + title[1:2] + title[3:])
    page.locator(".st-key-matches").get_by_role("button").first.wait_for()


def _judge(page: Any) -> None:
    """Judge a policy, where lists have explored."""
    _section("Off-policy")(page)
    settle(page)
    button = page.get_by_role("button", name="Judge", exact=True)
    if button.count():
        button.click()


def _minutes(page: Any) -> None:
    choice = page.get_by_role("radio", name="minute", exact=True)
    if choice.count():
        choice.click()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="of the app")
    parser.add_argument("--user", help="whose lists are shown; the first that the app offers")
    parser.add_argument("--item", help="that is shown; the first of the list")
    parser.add_argument("--output", type=Path, default=Path("screenshots"), help="a directory")
    parser.add_argument("--only", nargs="*", help="beginnings of the names of pictures")
    parser.add_argument("--sizes", nargs="*", choices=WIDTHS, default=list(WIDTHS))
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--whole", action="store_true", help="also with all that is below the first screen")
    parser.add_argument("--scale", type=float, default=1.0, help="pixels of a picture for each of the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
