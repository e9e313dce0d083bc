"""The documentation builds as a site without a warning, and every link in it leads somewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": "serving"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(output)]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return output


class _Page(HTMLParser):
    """Links of a page, what can be linked to in it, and what a browser loads with it."""

    def __init__(self, text: str):
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.loads: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("href", "src") and value:
                self.links.add(value)
            if value and (name == "src" or (tag, name) == ("link", "href") and ("rel", "stylesheet") in attrs):
                self.loads.add(value)


def test_every_link_of_every_page_leads_somewhere(site):
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else None
            if not target.exists() or (
                parts.fragment and anchors is not None and unquote(parts.fragment) not in anchors
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken and len(pages) > 60


def test_no_page_loads_anything_from_another_host(site):
    pages = [_Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")]
    assert any(page.loads for page in pages)
    assert [link for page in pages for link in page.loads if urlsplit(link).netloc] == []


def test_the_reference_has_the_models_the_protocol_and_the_http_api(site):
    models = (site / "reference/recsys.models.html").read_text(encoding="utf-8")
    assert all(f"recsys.models.{name}" in models for name in ("ease", "two_tower", "hybrid"))
    assert "recsys.runtime.recommendation.Recommender" in (site / "reference/recsys.runtime.html").read_text(
        encoding="utf-8"
    )
    assert "/v1/recommendations" in (site / "reference/openapi.json").read_text(encoding="utf-8")


def test_every_page_of_docs_is_in_the_menu():
    told = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

    def pages(entry: object) -> set[str]:
        if isinstance(entry, str):
            return {entry}
        entries = entry.values() if isinstance(entry, dict) else entry
        return {page for one in entries for page in pages(one)}

    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= pages(told["nav"])
