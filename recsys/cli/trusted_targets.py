"""Which classes a run directory may name, so that opening somebody else's run runs none of their code.

``config.yaml`` of a run says with ``_target_`` what is made of it. Any Python callable could stand there. Allowed are
the classes that make up a training, and what the user trusts: ``trusted_modules=[mypackage]`` on a command line, or
``recsys.cli.trusted_targets.trust(["mypackage"])`` in a program.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Iterator
from importlib.abc import InspectLoader
from pathlib import Path
from typing import Any

from recsys.errors import RunError

#: Rooms of recsys whose classes make up a training.
ROOMS = ("recsys.models", "recsys.training", "recsys.evaluation", "recsys.data", "recsys.runs.tracking")

#: What is allowed by its name alone.
NAMES = frozenset({"recsys.training.fitting.fit", "pytorch_lightning.Trainer"})

#: Where the classes of optimisers and schedules are.
OPTIMISERS = ("torch.optim", "torch.optim.lr_scheduler")

_trusted: set[str] = set()


def trust(modules: Iterable[str]) -> None:
    """Allow what these modules and packages hold, in place of those that were allowed before."""
    _trusted.clear()
    _trusted.update(modules)


def check_targets(content: Any, origin: Path) -> None:
    """Require that all that a configuration would make is allowed; nothing is made of it.

    Args:
        content: of the configuration, interpolations resolved: mappings, lists and values.
        origin: the file, for the message.

    Raises:
        RunError: a ``_target_`` is not allowed.
    """
    for key, target in _targets(content, ""):
        if not isinstance(target, str) or not is_allowed(target):
            package = str(target).partition(".")[0]
            remedy = (
                f"Where you know and trust that code, add trusted_modules=[{package}]"
                if package != "recsys"
                else "Use the version of recsys that wrote it, and open no runs of people that you do not trust"
            )
            raise RunError(
                f"A run may name the classes of recsys that make up a training, but {origin} has {key}={target}, which "
                f"would run other code. {remedy}."
            )


def is_allowed(target: str) -> bool:
    """Whether a dotted name is one of the classes that make up a training, or trusted.

    Only modules of recsys and of PyTorch's optimisers are read or imported to find out.
    """
    if target in NAMES or any(_is_inside(target, module) for module in _trusted):
        return True
    module, _, name = target.rpartition(".")
    if not (module in OPTIMISERS or any(_is_inside(module, room) for room in ROOMS)):
        return False
    if module not in OPTIMISERS and module not in sys.modules and _defines_class(module, name):
        return True
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return False
    # What a module has merely imported, such as ``os``, or a class of another package, is none of its own.
    own = ("torch.optim",) if module in OPTIMISERS else ROOMS
    return inspect.isclass(found) and any(_is_inside(found.__module__, room) for room in own)


def _defines_class(module: str, name: str) -> bool:
    """Whether the source of a module has a class of this name at its top.

    The module is not imported: those of a training bring Lightning, which takes seconds, and whoever only asks a
    trained model for a list needs none of it.
    """
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    if spec is None or not isinstance(spec.loader, InspectLoader):
        return False
    parts = ast.parse(spec.loader.get_source(module) or "").body
    return any(isinstance(part, ast.ClassDef) and part.name == name for part in parts)


def _is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _targets(content: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Each ``_target_`` with its key, however deep it is."""
    if isinstance(content, dict):
        for name, value in content.items():
            inner = f"{key}.{name}" if key else str(name)
            if name == "_target_":
                yield inner, value
            yield from _targets(value, inner)
    elif isinstance(content, list | tuple):
        for place, value in enumerate(content):
            yield from _targets(value, f"{key}.{place}")
