"""Finds the modules of our packages that a program needs where the packages are not installed."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterable
from pathlib import Path

import recsys
import recsys_serving

#: Our packages by their names.
ROOTS = {package.__name__: Path(str(package.__file__)).parent for package in (recsys, recsys_serving)}

#: What no program needs that only answers.
HEAVY = ("torch", "pytorch_lightning", "hydra", "omegaconf", "mlflow")


def modules_needed(programs: Iterable[Path]) -> list[Path]:
    """The modules of our packages that ``programs`` import, directly or through each other, as files.

    Imports inside functions count as well. The front of a package, which offers all of it, is not read: the copy has an
    empty one.

    Raises:
        AssertionError: one of them imports what a server does not have (:data:`HEAVY`).
    """
    waiting = [name for program in programs for name in _imported(program)]
    found: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] not in ROOTS:
            assert name.partition(".")[0] not in HEAVY, name
            continue
        path = _file_of(name)
        if path is None:  # a name inside a module
            continue
        found[name] = path
        parents = name.split(".")
        waiting += [".".join(parents[:length]) for length in range(1, len(parents))]
        waiting += [] if name in ROOTS else _imported(path)
    return sorted(found.values())


def copy_modules(modules: Iterable[Path], directory: Path) -> None:
    """Copy modules of our packages into ``directory``, which then can be imported from."""
    for module in modules:
        package, root = next((name, root) for name, root in ROOTS.items() if module.is_relative_to(root))
        target = directory / package / module.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if module == root / "__init__.py":
            target.write_text("", encoding="utf-8")
        else:
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
    """The file of a module of our packages; None where there is no such module."""
    package, *parts = name.split(".")
    path = ROOTS[package].joinpath(*parts)
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    file = path.with_suffix(".py")
    return file if file.is_file() else None
