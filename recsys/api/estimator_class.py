"""Makes the estimator of a model from the model's configuration."""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
from pathlib import Path

from recsys.api.estimator import Estimator, all_settings
from recsys.cli.model_choices import ModelChoice, model_choices


@functools.cache
def estimator_class(name: str) -> type[Estimator]:
    """The estimator of a model.

    Args:
        name: of the model's class, such as ``EASE``.
    """
    choice = model_choices()[name]
    members = {
        "choice": choice,
        "__doc__": _documentation(choice),
        "__module__": "recsys",
        "__signature__": _signature(choice),
    }
    return type(name, (Estimator,), members)


def _signature(choice: ModelChoice) -> inspect.Signature:
    kind = inspect.Parameter.KEYWORD_ONLY
    settings = all_settings(choice).items()
    return inspect.Signature([inspect.Parameter(name, kind, default=value) for name, value in settings])


def _documentation(choice: ModelChoice) -> str:
    """The documentation of the model's class, read from its file: nothing is imported."""
    module = choice.target.rpartition(".")[0]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == choice.class_name:
            return ast.get_docstring(node) or ""
    return ""
