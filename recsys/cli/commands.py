"""The commands: the files of ``scripts/``, and what a user types to run one.

A wheel has the scripts inside the package and is called by its entry point, ``recsys train``. A checkout has them
beside the package and is called either way, ``python scripts/train.py`` too. Messages that tell a user what to run use
the form that the user has used.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import recsys
from recsys.errors import RunError

#: Set to any text where the entry point was used; the processes that a command starts inherit it.
ENTRY_POINT_VARIABLE = "RECSYS_ENTRY_POINT"

_PACKAGE = Path(recsys.__file__).parent
_INSIDE = _PACKAGE / "scripts"
#: Of the scripts: inside the package where it was installed from a wheel, beside it in a checkout.
SCRIPT_DIRECTORY = _INSIDE if _INSIDE.is_dir() else _PACKAGE.parent / "scripts"


def command_names() -> list[str]:
    """Names of all commands, sorted."""
    return sorted(path.stem for path in SCRIPT_DIRECTORY.glob("*.py") if not path.stem.startswith("_"))


def script_path(name: str) -> Path:
    """The file of a command, such as ``train``."""
    return SCRIPT_DIRECTORY / f"{name}.py"


def app_program() -> Path:
    """``main.py`` of the app, which lies beside the scripts of a checkout.

    Raises:
        RunError: it is not there.
    """
    program = SCRIPT_DIRECTORY.parent / "app" / "main.py"
    if not program.is_file():
        raise RunError(
            f"The app is required, but {program} is not there: the package has the service alone. Start that with "
            "recsys serve start, or use a checkout of the repository, which has the app."
        )
    return program


def command_line(name: str) -> str:
    """What a user types to run a command, without arguments.

    Args:
        name: of the command, such as ``train``.

    Returns:
        ``recsys train`` or ``python scripts/train.py``.
    """
    if ENTRY_POINT_VARIABLE in os.environ or SCRIPT_DIRECTORY == _INSIDE:
        return f"recsys {name}"
    return f"python scripts/{name}.py"


def typed_command(name: str) -> str:
    """What a user types here and now to run a command, without arguments: :func:`command_line` with its interpreter.

    Where the environment of this process is not the one that ``python`` finds, the path of its interpreter stands in
    the place of ``python``. For what is printed; what is kept in a file may be read elsewhere.

    Args:
        name: of the command, such as ``train``.

    Returns:
        Such as ``python scripts/train.py``, ``.venv/bin/python scripts/train.py`` or ``recsys train``.
    """
    if command_line(name).startswith("recsys "):
        return f"{_program('recsys')} {name}"
    return f"{_program('python')} {shlex.quote(_short(script_path(name)))}"


def as_typed(command: str) -> str:
    """A command as files have it, from :func:`command_line`, in the form of :func:`typed_command`, for a terminal.

    Args:
        command: one of ours with its arguments; any other stays as it is.

    Example:
        >>> as_typed("git status")
        'git status'
    """
    for name in command_names():
        kept = command_line(name)
        if command == kept or command.startswith(f"{kept} "):
            return typed_command(name) + command.removeprefix(kept)
    return command


def same_command(name: str) -> str:
    """What was typed to run this command, for one that goes on with what is done.

    Args:
        name: of the command, such as ``tune``.
    """
    return f"{typed_command(name)} {shlex.join(sys.argv[1:])}".strip()


def shell_lines(command: str, width: int) -> str:
    r"""``command`` on lines that a shell takes for one, broken before a setting where it is wider than ``width``.

    Example:
        >>> print(shell_lines("recsys recommend run=runs/a-long-name user=1", 30))
        recsys recommend \
          run=runs/a-long-name user=1
    """
    if len(command) <= width:
        return command
    lines = [""]
    for word in map(shlex.quote, shlex.split(command)):
        if "=" in word and lines[-1] and len(lines[-1]) + len(word) + len("  \\") > width:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def _program(name: str) -> str:
    """``name`` where the shell finds the one beside this interpreter, else its path."""
    beside = Path(sys.executable).absolute().parent  # not resolved: a virtual environment is a link
    found = shutil.which(name)
    if found is not None and Path(found).absolute().parent == beside:
        return name
    return shlex.quote(_short(Path(sys.executable).absolute() if name == "python" else beside / name))


def _short(path: Path) -> str:
    """``path`` from the current directory, where it lies below that."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
