"""The files for contributors agree with the project, and the workflows ask for no more than they need."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})
PAGES = ("CONTRIBUTING.md", "SECURITY.md")
MAKE_TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs() -> list[dict[str, Any]]:
    return [job for path in WORKFLOWS for job in read(path)["jobs"].values()]


def steps() -> list[dict[str, Any]]:
    return [step for job in jobs() for step in job["steps"]]


@pytest.mark.parametrize("page", PAGES)
def test_the_readme_links_to_the_page_and_its_links_lead_somewhere(page: str) -> None:
    assert f"]({page})" in (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("page", [*PAGES, ".github/pull_request_template.md"])
def test_the_commands_of_a_page_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make ([\w-]+)", text, re.M)) <= MAKE_TARGETS
    assert all((ROOT / script).is_file() for script in re.findall(r"python (scripts/\w+\.py)", text))


def test_the_citation_names_version_and_licence_of_the_project() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def test_no_page_names_the_distribution_of_another_project() -> None:
    pages = [ROOT / "README.md", *(ROOT / page for page in PAGES), *(ROOT / "docs").glob("*.md")]
    code = [path for room in ("recsys", "serving", "scripts", "configs") for path in (ROOT / room).rglob("*.*")]
    for path in [*pages, *code]:
        if path.suffix in (".md", ".py", ".yaml"):
            assert not re.search(r"recsys\[|install recsys\b(?!-)", path.read_text(encoding="utf-8")), path


def test_hooks_run_what_the_virtual_environment_has() -> None:
    repositories = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    (hooks,) = [repository["hooks"] for repository in repositories]
    tools = {shlex.split(hook["entry"])[0].removeprefix(".venv/bin/") for hook in hooks}
    assert tools == {"ruff", "mypy"} and all(hook["language"] == "system" for hook in hooks)
    assert all(any(text.startswith(tool) for text in PROJECT["optional-dependencies"]["dev"]) for tool in tools)


def test_there_is_a_workflow_with_every_python_that_the_metadata_name() -> None:
    matrices = [job["strategy"]["matrix"]["python-version"] for job in jobs() if "strategy" in job]
    named = {text.rpartition(" :: ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)}
    assert named and named in [set(versions) for versions in matrices]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    assert all("permissions" not in job and job["timeout-minutes"] for job in workflow["jobs"].values())


def test_actions_have_a_major_version_and_leave_no_credentials() -> None:
    used = [step for step in steps() if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in used)
    checkouts = [step for step in used if step["uses"].startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_workflows_run_targets_of_the_makefile() -> None:
    commands = [step["run"] for step in steps() if "run" in step]
    targets = {text.removeprefix("make ") for text in commands if text.startswith("make ")}
    assert len(commands) >= len(targets) and targets <= MAKE_TARGETS
    assert {"lint", "test", "wheel-check", "docs-check"} <= targets


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_a_name_and_fields_with_labels(path: Path) -> None:
    form = read(path)
    assert form["name"] and form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert fields and all(field["id"] and field["attributes"]["label"] for field in fields)
