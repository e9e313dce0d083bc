"""The app speaks HTTP: it imports nothing else of ours, and nothing that trains or stores."""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
MODULES = sorted(APP.rglob("*.py"))
#: What it may stand on beside Python itself.
ALLOWED = {"app", "altair", "httpx", "pandas", "prometheus_client", "st_keyup", "streamlit"}


def imported(path):
    """The packages that a module imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            yield str(node.module).split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(APP).as_posix())
def test_a_module_imports_no_more_than_it_may(path):
    import sys

    assert {name for name in imported(path) if name not in sys.stdlib_module_names} <= ALLOWED
