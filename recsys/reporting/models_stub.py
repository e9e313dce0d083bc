"""What static tools are told of the models of the Python face, written from the models themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from hydra.utils import get_class

from recsys.cli.model_choices import ModelChoice, model_choices

_HEAD = '''"""The models by the names of their classes; written by ``make models-page``."""

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.api.estimator import Estimator

__all__ = [{names}]
'''

#: Of settings that every model has, and of those of gradient steps.
_COMMON = {"seed": "int"}
_GRADIENT = {
    "training": "str | None",
    "epochs": "int | None",
    "batch_size": "int | None",
    "learning_rate": "float | None",
    "patience": "int | None",
}
_LAST = {
    "exclude_seen": "bool | Mapping[str, float]",
    "weight_transform": "str",
    "overrides": "Mapping[str, Any] | None",
}

#: Of a choice of a group, or of what is set inside a setting.
_GROUP = "str | Sequence[str] | Mapping[str, Any]"
_NESTED = "Mapping[str, Any]"


def models_stub() -> str:
    """The content of ``recsys/api/models.pyi``."""
    choices = model_choices()
    names = "\n" + "".join(f'    "{name}",\n' for name in sorted(choices)) if choices else ""
    classes = (_class(choice) for choice in choices.values())
    return "\n".join([_HEAD.replace("{names}", names), *classes])


def _class(choice: ModelChoice) -> str:
    class_: Any = get_class(choice.target)
    hints = get_type_hints(class_.__init__)
    by_steps = {} if hasattr(class_, "fit") else _GRADIENT
    own = {name: _type(name, default, choice, hints) for name, default in choice.own.items()}
    types = {**own, **{name: hint for name, hint in {**_COMMON, **by_steps, **_LAST}.items() if name not in own}}
    lines = [f"class {choice.class_name}(Estimator):", "    def __init__(", "        self,", "        *,"]
    lines += [f"        {name}: {hint} = ...," for name, hint in types.items()]
    # Settings inside others, such as recency__step_decay, have no list of their own.
    nests = choice.groups or any(isinstance(default, Mapping) for default in choice.own.values())
    lines += ["        **nested: Any,"] if nests else []
    return "\n".join([*lines, "    ) -> None: ...", ""])


def _type(name: str, default: Any, choice: ModelChoice, hints: Mapping[str, Any]) -> str:
    if name in choice.groups:
        return _GROUP
    if isinstance(default, Mapping):
        return _NESTED
    return _text(hints.get(name, Any))


def _text(hint: Any) -> str:
    """A type as it is written, with the names that the head of the stub has."""
    if hint is None or hint is type(None):
        return "None"
    origin = get_origin(hint)
    if origin is None:
        return hint.__name__ if isinstance(hint, type) and hint.__module__ == "builtins" else "Any"
    if getattr(origin, "__name__", "") in ("Union", "UnionType"):
        return " | ".join(_text(inner) for inner in get_args(hint))
    if getattr(origin, "__name__", "") == "Literal" or str(origin) == "typing.Literal":
        return "str"
    inner = ", ".join("..." if one is Ellipsis else _text(one) for one in get_args(hint))
    return f"{origin.__name__}[{inner}]"
