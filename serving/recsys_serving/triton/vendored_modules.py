"""Finds the modules of this package that a program needs where the package is not installed."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterable
from pathlib import Path

import recsys

PACKAGE = "recsys"
ROOT = Path(recsys.__file__).parent

#: What no program needs that only answers.
HEAVY = ("torch", "pytorch_lightning", "hydra", "omegaconf", "mlflow")


def modules_needed(programs: Iterable[Path]) -> list[Path]:
    """The modules of the package that ``programs`` import, directly or through each other, as files.

    Imports inside functions count as well.

    Raises:
        AssertionError: one of them imports what a server does not have (:data:`HEAVY`).
    """
    waiting = [name for program in programs for name in _imported(program)]
    found: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] != PACKAGE:
            assert name.partition(".")[0] not in HEAVY, name
            continue
        path = _file_of(name)
        if path is None:  # a name inside a module
            continue
        found[name] = path
        parents = name.split(".")
        waiting += [".".join(parents[:length]) for length in range(1, len(parents))]
        waiting += _imported(path)
    return sorted(found.values())


def copy_modules(modules: Iterable[Path], directory: Path) -> None:
    """Copy modules of the package into ``directory``, which then can be imported from."""
    for module in modules:
        target = directory / PACKAGE / module.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, target)


def _imported(path: Path) -> list[str]:
    """What a file imports: modules, and names that may be modules."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _file_of(name: str) -> Path | None:
    """The file of a module of the package; None where there is no such module."""
    path = ROOT.joinpath(*name.split(".")[1:])
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    file = path.with_suffix(".py")
    return file if file.is_file() else None
