"""Each command of the README and of the pages is run by a test, or is listed here with the reason why it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_readme import ROOT, fenced_blocks

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# The test that runs a command with small data; for a `scripts/NAME.py` that is not here, tests/scripts/test_NAME.py.
RUN_BY = {
    "curl": "tests/serving/local/test_launcher.py",
    "make serve": "tests/serving/local/test_launcher.py",
    "make serve-stop": "tests/serving/local/test_launcher.py",
    "make app": "tests/app/test_main.py",
    "make up": "tests/serving/local/test_stack.py",
    "make down": "tests/serving/local/test_stack.py",
    "make quickstart": "tests/scripts/test_quickstart.py",
    "make env": "tests/serving/test_images.py",
    "recsys": "tests/scripts/test_quickstart.py",
    "make retrain": "tests/scripts/test_retrain.py",
    "make triton": "tests/scripts/test_triton.py",
    "make triton-stop": "tests/scripts/test_triton.py",
    "examples/grocery_shop.py": "tests/examples/test_grocery_shop.py",
    "scripts/export_triton.py": "tests/scripts/test_triton.py",
    "scripts/triton_server.py": "tests/scripts/test_triton.py",
    "scripts/query_triton.py": "tests/scripts/test_triton.py",
    "scripts/update_items.py": "tests/scripts/test_triton.py",
    "scripts/promote.py": "tests/scripts/test_export.py",
    "scripts/simulate.py": "tests/serving/local/test_launcher.py",
}

# Commands that no test runs, and why.
NOT_RUN = {
    "make demo": "fetches MovieLens 100K; tests/scripts/test_train.py runs the same script on data that are made",
    "make shell": "opens a shell for a person",
    "make test": "runs these tests",
    "make lock": "asks the package index for the newest versions",
    "docker": "takes a container engine; `make images-check` builds and starts the images without one",
    "kubectl": "takes a cluster; tests/serving/test_kubernetes.py checks the manifests",
    "pip": "installs from a package index",
    "head": "a tool of the system",
    "cat": "a tool of the system",
    "benchmarks/": "takes minutes and has a page of results of its own",
    "torchrun": "starts what trainer.devices=2 starts, which tests/scripts/test_several_devices.py runs",
    "program.py": "stands for a program of the reader",
}


def commands(page: Path) -> list[str]:
    """The commands in the blocks of a page, one a line."""
    blocks = [content for language, content in fenced_blocks(page.read_text(encoding="utf-8")) if language == "bash"]
    joined = [re.sub(r"'[^']*'|\"[^\"]*\"|\$\([^)]*\)", "TEXT", block.replace("\\\n", " ")) for block in blocks]
    lines = (re.split(r"(?:^|\s)#", line)[0].strip() for block in joined for line in block.splitlines())
    return [line for line in lines if line]


def program(command: str) -> str | None:
    """What a command starts, without variables of the environment before it; None: it only sets variables."""
    words = [word for word in command.split() if not re.match(r"[A-Z_]+=", word)]
    if not words or re.match(r"[\w.\"]+[=:]", words[0]) or words[0].startswith(("{", "}")):
        return None
    if words[0] == "python":
        return words[1]
    return " ".join(words[:2]) if words[0] == "make" else words[0]


COMMANDS = sorted({name for page in PAGES for line in commands(page) if (name := program(line)) is not None})


def test_commands_are_found():
    assert program("OMP_NUM_THREADS=1 python scripts/train.py model=mf") == "scripts/train.py"
    assert program("KEY=TEXT") is None
    assert {"curl", "make up", "scripts/train.py", "scripts/export.py"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_run_by_a_test_or_has_a_reason(name):
    if any(name.startswith(key) for key in NOT_RUN):
        return
    test = RUN_BY.get(name, f"tests/scripts/test_{Path(name).stem}.py")
    assert (ROOT / test).is_file(), f"{name}: no test runs it. Name one in RUN_BY, or the reason in NOT_RUN."


def test_no_entry_is_left_over():
    known = {*RUN_BY, *NOT_RUN}
    assert [key for key in known if not any(name.startswith(key) for name in COMMANDS)] == []
