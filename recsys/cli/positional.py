"""Arguments of a command line that stand alone, such as ``runs/A runs/B``, as settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from recsys.cli.overrides import quoted_text
from recsys.errors import RunError

#: Makes settings of the arguments that stand alone.
Positional = Callable[[Sequence[str]], list[str]]


def as_settings(arguments: Sequence[str], positional: Positional) -> list[str]:
    """The command line with settings in place of what stands alone.

    Args:
        arguments: of the command line, such as ``["runs/A", "runs/B", "k=20"]``.
        positional: makes settings of those that have no ``=`` and are no option.

    Returns:
        Such as ``['runs=["runs/A","runs/B"]', "k=20"]``.
    """
    alone = [argument for argument in arguments if _stands_alone(argument)]
    rest = [argument for argument in arguments if not _stands_alone(argument)]
    return [*(positional(alone) if alone else []), *rest]


def as_list(name: str) -> Positional:
    """All arguments that stand alone are the list ``name``."""
    return lambda values: [f"{name}=[{','.join(map(quoted_text, values))}]"]


def as_one(name: str) -> Positional:
    """The one argument that stands alone is the setting ``name``."""

    def settings(values: Sequence[str]) -> list[str]:
        if len(values) > 1:
            raise RunError(f"One {name} is required, but {', '.join(values)} came. Leave out all but one.")
        return [f"{name}={quoted_text(values[0])}"]

    return settings


def long_options(settings: Sequence[str], flags: Sequence[str] = ()) -> Positional:
    """Some settings may be written as other programs have them: ``--items FILE``, ``--items=FILE``, ``--yes``.

    Args:
        settings: names of those that have a value.
        flags: names of those that are true where they are given.

    Returns:
        What makes settings of them on a whole command line.
    """

    def replaced(arguments: Sequence[str]) -> list[str]:
        left, found = list(arguments), []
        while left:
            argument = left.pop(0)
            name, equals, value = argument.removeprefix("--").partition("=")
            if not argument.startswith("--") or name not in (*settings, *flags):
                found.append(argument)
            elif name in flags:
                found.append(f"{name}=true")
            elif equals or left:
                found.append(f"{name}={quoted_text(value if equals else left.pop(0))}")
            else:
                raise RunError(f"--{name} requires a value, but is the last argument. Add it.")
        return found

    return replaced


def action_and_object(action: str, objects: Mapping[str, str]) -> Positional:
    """The first argument that stands alone is the setting ``action``, the second what the action is done with.

    Args:
        action: name of the setting.
        objects: for each action the setting that its second argument is; an action without one takes none.
    """

    def settings(values: Sequence[str]) -> list[str]:
        first, *others = values
        if len(others) > (first in objects):
            raise RunError(f"{first} takes no {others[-1]!r}. Leave it out, or write it as a setting: KEY=VALUE.")
        return [f"{action}={quoted_text(first)}", *(f"{objects[first]}={_number_or_text(value)}" for value in others)]

    return settings


def _number_or_text(value: str) -> str:
    return value if value.isdecimal() else quoted_text(value)


def _stands_alone(argument: str) -> bool:
    return "=" not in argument and not argument.startswith(("-", "+", "~"))
