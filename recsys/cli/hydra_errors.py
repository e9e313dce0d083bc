"""Says in our words what Hydra found wrong with a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf

from recsys.cli.overrides import quoted_text

#: What Hydra raises before a command's own function begins.
COMPOSITION_ERRORS = (ConfigCompositionException, OverrideParseException)

#: Groups whose choices have groups of their own.
_NESTING = ("training", "model")


def explained(error: HydraException, arguments: Sequence[str], configs: Path) -> str:
    """The message for one of :data:`COMPOSITION_ERRORS`.

    Args:
        error: what Hydra raised.
        arguments: of the command line.
        configs: directory of the configurations.
    """
    text = str(error)
    if isinstance(error, OverrideParseException):
        return _unreadable(error.override, text)
    if isinstance(error, MissingConfigException):
        return _missing_choice(error, text)
    if text.startswith("Ambiguous value"):
        argument = text.partition("'")[2].partition("'")[0]
        return (
            f"{argument} has several values. Write a list as '{_key(argument)}=[A,B]', a text with commas as "
            f"{quoted(argument)}, or add -m to run the command with each."
        )
    key = text.partition("Could not override '")[2].partition("'")[0]
    if key:
        return _without_place(key, text, error.__cause__, arguments, configs)
    return _added_or_left_out(text, arguments) or " ".join(text.split())


def _added_or_left_out(text: str, arguments: Sequence[str]) -> str | None:
    """For ``+KEY=VALUE``, ``~KEY`` and ``~KEY=VALUE`` that do not suit what there is; None for anything else."""
    key = text.partition("'")[2].partition("'")[0]
    argument = next((text for text in arguments if text[:1] in "+~" and _key(text.lstrip("+~")) == key), key)
    if text.startswith("Could not append"):
        return f"{argument} adds a setting, but there is one of that name. Leave out the +: {argument.lstrip('+')}"
    if not text.startswith("Could not delete"):
        return None
    if text.endswith("does not exist."):
        return f"{argument} leaves out a setting, but there is none of that name. --cfg job prints what there is."
    value = text.partition(f"The value of '{key}' is ")[2].rpartition(" and not ")[0]
    return f"{argument} leaves out a setting of that value, but its value is {value}. Write ~{key}."


def quoted(argument: str) -> str:
    """``user=a=b`` as a shell and Hydra take it: ``'user="a=b"'``."""
    key, _, value = argument.partition("=")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    text = f"{key}={quoted_text(value)}".replace("'", "'\\''")
    return f"'{text}'"


def nested_group(key: str) -> tuple[str, str] | None:
    """The group and the group below it that a key belongs to; None where there is no such thing.

    Example:
        >>> nested_group("training/optimizer"), nested_group("training.optimizer.lr"), nested_group("seed")
        (('training', 'optimizer'), ('training', 'optimizer'), None)
    """
    parts = key.lstrip("+~").partition("@")[0].replace("/", ".").split(".")
    if parts[0] in ("stacking_folds", "candidate_selector"):
        return "training", parts[0]
    return (parts[0], parts[1]) if len(parts) > 1 and parts[0] in _NESTING else None


def users_of(group: str, below: str, configs: Path) -> list[str]:
    """The choices of ``group`` that compose the group ``below``, sorted."""
    found = []
    for path in sorted((configs / group).glob("*.yaml")):
        settings = OmegaConf.load(path)
        defaults = settings.get("defaults") if isinstance(settings, DictConfig) else None
        if any(below in _groups(entry) for entry in defaults or ListConfig([])):
            found.append(path.stem)
    return found


def _groups(entry: object) -> list[str]:
    """The groups that an entry of a defaults list names, without where they go."""
    if not isinstance(entry, DictConfig):
        return []
    names = [str(name).split()[-1].partition("@")[0] for name in entry]
    return [name.rpartition("/")[2] for name in names]


def _key(argument: str) -> str:
    return argument.partition("=")[0]


def _unreadable(argument: str, text: str) -> str:
    if "=" not in argument:
        return f"An argument must be a setting with its value, such as seed=1, but it is {argument!r}. Correct it."
    first = text.replace(f"Error parsing override '{argument}'\n", "").partition("\n")[0]
    reason = "" if first.startswith("Lexer") else f" ({first})"  # a class of the parser tells nobody anything
    return (
        f"{argument} cannot be read{reason}. A value with = , ( ) [ ] {{ }} or quotes in it must be quoted: "
        f"{quoted(argument)}"
    )


def _missing_choice(error: MissingConfigException, text: str) -> str:
    first = text.partition("\n")[0].partition(": ")[2] or text.partition("\n")[0]
    options = f" Choose one of {', '.join(error.options)}." if error.options else " Correct it."
    return f"{first}.{options}"


def _without_place(key: str, text: str, cause: BaseException | None, arguments: Sequence[str], configs: Path) -> str:
    """For a key that the composed configuration does not have."""
    argument = next((text for text in arguments if _key(text.lstrip("+~")) == key), key)
    nested = nested_group(key)
    users = users_of(*nested, configs) if nested is not None else []
    if nested is not None and users:
        group, below = nested
        return (
            f"{argument} has no effect, as the chosen {group} has no {below}. These have: "
            f"{', '.join(f'{group}={name}' for name in users)}. Choose one of them, or leave the setting out."
        )
    reason = "" if cause is None else f" ({str(cause).partition(chr(10))[0]})"
    return f"There is no setting {key}{reason}. Correct or leave out {argument}; --cfg job prints what there is."
