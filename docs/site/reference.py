"""The reference of the site: pages of packages from their docstrings, and one of the HTTP API from its OpenAPI file."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]

# Packages whose names a reader calls, in the order of the menu.
PACKAGES = {
    "recsys.api": "recsys, the public face",
    "recsys.models": "Models",
    "recsys.evaluation": "Evaluation",
    "recsys.runtime": "Bundles and answers",
    "recsys.retrieval": "Retrieval",
    "recsys.experiments": "Experiments",
    "recsys.training": "Training",
    "recsys_serving.client": "Client of the service",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of the reference into the menu."""
    pages: list[Any] = [{title: _page(package)} for package, title in PACKAGES.items()]
    assert config.nav is not None
    config.nav.append({"Reference": [*pages, {"HTTP API": "reference/http.md"}]})
    return config


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages of the reference."""
    for package, title in PACKAGES.items():
        files.append(File.generated(config, _page(package), content=_reference(package, title)))
    files.append(File.generated(config, "reference/openapi.json", content=json.dumps(_openapi())))
    files.append(
        File.generated(config, "reference/http.md", content='# The HTTP API\n\n<swagger-ui src="openapi.json"/>\n')
    )
    return files


def _page(package: str) -> str:
    return f"reference/{package}.md"


def _reference(package: str, title: str) -> str:
    """The page of a package: each module that has something public."""
    root = ROOT / ("serving" if package.startswith("recsys_serving") else ".")
    folder = root / package.replace(".", "/")
    modules = (path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py" and _has_public_names(path))
    names = (path.relative_to(root).with_suffix("").as_posix().replace("/", ".") for path in modules)
    return f"# {title}\n\n" + "\n".join(f"::: {name}\n" for name in names)


def _has_public_names(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))
    return any(not node.name.startswith("_") for node in defined)


def _openapi() -> dict[str, Any]:
    """What the service says of itself."""
    from recsys_serving.api.app import create_app
    from recsys_serving.settings import ServiceSettings

    return create_app(ServiceSettings(redis_url="memory")).openapi()
