"""Pictures of every page of the app, wide and narrow, light and dark: ``make screenshots``.

The service and the app run already (``make serve``, ``make app``). Nothing but the browser is started here: one of the
machine, which Playwright drives.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

BROWSER = Path("/usr/bin/chromium")
WIDTHS = {"wide": 1280, "narrow": 390}
SCHEMES = ("light", "dark")
#: Milliseconds to wait for a page, and for what is drawn after it: charts, covers, fonts.
PATIENCE_MS, DRAW_MS = 120_000, 1_500
_QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main() -> None:
    """Take the pictures."""
    arguments = _arguments()
    from playwright.sync_api import sync_playwright

    arguments.output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for size in arguments.sizes:
            for scheme in arguments.schemes:
                width = WIDTHS[size]
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=arguments.scale
                )
                context.set_default_timeout(PATIENCE_MS)
                _take(context.new_page(), arguments, f"{size}-{scheme}")
                context.close()
        browser.close()


def _take(page: Any, arguments: argparse.Namespace, suffix: str) -> None:
    for name, (path, prepare) in _shots(arguments.user).items():
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


def settle(page: Any) -> None:
    """Wait until Streamlit has drawn everything."""
    page.wait_for_selector(_QUIET)
    page.wait_for_timeout(DRAW_MS)
    page.wait_for_selector(_QUIET)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-stale=\"true\"]')")


def _whole(page: Any, path: Path) -> None:
    """The page with all that is below; Streamlit scrolls inside of a part, so the window grows."""
    size = page.viewport_size
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(height + 60, 6_000)})
    settle(page)
    page.screenshot(path=path, animations="disabled")
    page.set_viewport_size(size)


def _shots(user: str) -> dict[str, tuple[str, Callable[[Any], None]]]:
    """Each picture: the page's address, and what is done there first."""
    return {
        "for-you": (f"/?user={user}", _nothing),
        "for-you-why": (f"/?user={user}", lambda page: page.get_by_role("button", name="Why?").first.click()),
        "for-you-what-if": (f"/?user={user}", _what_if),
        "item": ("/item?item=50", _nothing),
        "compare": (f"/compare?user={user}", _nothing),
        "compare-moves": (f"/compare?user={user}", _tab("What moved, and why")),
        "compare-trace": (f"/compare?user={user}", _tab("The way to a list")),
        "models": ("/models", _nothing),
        "models-segments": ("/models", _section("Segments")),
        "models-curves": ("/models", _section("Learning curves")),
        "models-map": ("/models", _section("Map of items")),
        "experiments": ("/experiments", _minutes),
        "experiments-new": ("/experiments", _section("New")),
        "experiments-power": ("/experiments", _section("Power")),
        "experiments-off-policy": ("/experiments", _section("Off-policy")),
        "system": ("/system", _nothing),
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


def _minutes(page: Any) -> None:
    choice = page.get_by_role("radio", name="minute", exact=True)
    if choice.count():
        choice.click()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="of the app")
    parser.add_argument("--user", default="196", help="whose lists are shown")
    parser.add_argument("--output", type=Path, default=Path("screenshots"), help="a directory")
    parser.add_argument("--only", nargs="*", help="beginnings of the names of pictures")
    parser.add_argument("--sizes", nargs="*", choices=WIDTHS, default=list(WIDTHS))
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--whole", action="store_true", help="also with all that is below the first screen")
    parser.add_argument("--scale", type=float, default=1.0, help="pixels of a picture for each of the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
