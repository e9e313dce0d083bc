"""The page on adding a model, followed step by step in a copy of the project that does not have the models yet."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adding_a_model.md").read_text(encoding="utf-8")
COPIED = ("recsys", "serving", "configs", "scripts", "tests", "docs", "README.md", "pyproject.toml")
#: Path and content of each file that the page shows.
FILES = dict(re.findall(r"^`([\w/]+\.\w+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^\$ (python .*)$", PAGE, re.MULTILINE)


def names() -> list[str]:
    return [Path(path).stem for path in FILES if path.startswith("configs/model/")]


def run(command: str, project: Path) -> str:
    """Run a command of the page in ``project``; its output."""
    arguments = [sys.executable, *shlex.split(command)[1:]]
    if arguments[1].startswith("scripts/"):
        arguments += ["tracking=none", "trainer.accelerator=cpu"]
    if arguments[1:3] == ["-m", "pytest"]:
        # Without a directory of its own it would close the one that this session's servers have their data in.
        arguments += ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={project / 'pytest'}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(project), str(project / "serving")])}
    finished = subprocess.run(arguments, cwd=project, env=environment, capture_output=True, text=True, timeout=3600)
    assert finished.returncode == 0, f"{command}\n{finished.stdout[-3000:]}\n{finished.stderr[-3000:]}"
    return finished.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without the models of the page, and then with them."""
    copy = tmp_path_factory.mktemp("project")
    for part in COPIED:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / part)
    for path in FILES:
        (copy / path).unlink(missing_ok=True)
    for path, content in FILES.items():
        assert not (copy / path).exists()
        (copy / path).write_text(content, encoding="utf-8")
    return copy


def test_the_page_shows_a_model_of_each_kind():
    assert names() == ["rp3beta", "collaborative_metric"]
    for name in names():
        assert {f"recsys/models/{name}.py", f"tests/models/test_{name}.py"} <= set(FILES)
        assert any(f"model={name} " in command for command in COMMANDS)


@pytest.mark.parametrize("path", [path for path in FILES if "rp3beta" in path])
def test_the_model_that_stays_is_that_of_the_page(path):
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_works(command, project):
    output = run(command, project)
    if "scripts/train.py" in command:
        (directory,) = re.findall(r"^run: (.*)$", output, re.MULTILINE)
        assert (project / directory / "metrics.json").is_file()
    if "pytest" in command:
        passed = re.search(r"(\d+) passed", output)
        assert passed is not None
        assert int(passed.group(1)) > 0


def test_the_new_models_are_on_the_page_of_models_afterwards(project):
    run("python -m recsys.reporting.models_page", project)
    page = (project / "docs" / "models.md").read_text(encoding="utf-8")
    for name in names():
        assert page.count(f"\n| `{name}` |") == 3  # what it can, how it is served, what it does with weights


def test_a_step_that_is_left_out_is_noticed(project):
    """Without its file the model is not found, so the steps are what makes the commands work."""
    model = project / "recsys" / "models" / "collaborative_metric.py"
    content = model.read_text(encoding="utf-8")
    model.write_text(content.replace("def score_pairs", "def scores"), encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match="needs score or score_pairs, but CollaborativeMetric has neither"):
            run("python scripts/train.py model=collaborative_metric data=synthetic", project)
    finally:
        model.write_text(content, encoding="utf-8")
