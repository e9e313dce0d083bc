"""Pages of the site that are files of the repository outside ``docs``, and links to them.

A page may link to a file of the repository, as ``../benchmarks/results/ncf.md`` or ``../examples/five_lines.py``. In a
checkout that is the file; in the site it is a page made here: measurements as they are, programs as a listing.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
MEASUREMENTS = "benchmarks/results"
LINK = re.compile(r"(?<=\]\()([^)#:\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add a page for each measurement, and for each file that a page links to."""
    measurements = sorted((ROOT / MEASUREMENTS).iterdir())
    for path in measurements:
        files.append(File.generated(config, site_path(path.relative_to(ROOT).as_posix()), abs_src_path=str(path)))
    listing = _list_of_measurements([path for path in measurements if path.suffix == ".md"])
    files.append(File.generated(config, "measurements/index.md", content=listing))
    for path in sorted(_linked_programs(files)):
        files.append(File.generated(config, site_path(path), content=_program(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links to files of the repository into links to their pages."""
    here = repository_path(page.file)
    if here is None:
        return markdown
    return LINK.sub(lambda link: _moved(link[1], here, page.file.src_uri), markdown)


def repository_path(file: File) -> str | None:
    """Where a page lies in the repository; None for one that is generated."""
    if file.abs_src_path is None:
        return None
    return Path(file.abs_src_path).relative_to(ROOT).as_posix()


def site_path(path: str) -> str:
    """The page of a file of the repository."""
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith(f"{MEASUREMENTS}/"):
        return "measurements/" + path.removeprefix(f"{MEASUREMENTS}/")
    return f"files/{path}" if path.endswith(".md") else f"files/{path}.md"


def _linked_programs(files: Files) -> set[str]:
    """Files of the repository, other than pages and measurements, to which a page links."""
    linked = set()
    for file in files.documentation_pages():
        here = repository_path(file)
        if here is not None:
            linked |= {_target(link, here) for link in LINK.findall(file.content_string)}
    return {path for path in linked if site_path(path).startswith("files/") and (ROOT / path).is_file()}


def _target(link: str, here: str) -> str:
    """The path from the repository's root of what the page ``here`` links to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(here), link))


def _moved(link: str, here: str, page: str) -> str:
    """A link of the page ``here`` as one from the site's page ``page``."""
    return posixpath.relpath(site_path(_target(link, here)), posixpath.dirname(page))


def _program(path: str) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    return text if path.endswith(".md") else f"# `{path}`\n\n```{Path(path).suffix[1:]}\n{text}```\n"


def _list_of_measurements(pages: list[Path]) -> str:
    """A page that names each measurement by its title."""
    titles = {page.name: page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in pages}
    lines = [f"- [{title}]({name})" for name, title in sorted(titles.items(), key=lambda item: item[1].lower())]
    head = "# Measurements\n\nWhat was measured, on which machine, and the command that measures it again.\n\n"
    return head + "\n".join(lines) + "\n"
