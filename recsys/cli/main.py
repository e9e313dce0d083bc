"""The entry point ``recsys``: ``recsys train model=ease`` runs ``scripts/train.py`` with the same arguments.

``recsys`` alone lists the commands, ``recsys --version`` prints the version. Everything after the name of a command is
the command's own: its overrides, ``--help``, ``-m``.
"""

from __future__ import annotations

import ast
import difflib
import os
import re
import runpy
import sys
from collections.abc import Sequence

import recsys
from recsys.cli.command import command_process
from recsys.cli.commands import ENTRY_POINT_VARIABLE, command_line, command_names, script_path

#: Exit status after a command that does not exist.
UNKNOWN_COMMAND_STATUS = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command in this process.

    Args:
        arguments: of the command line, the name of the command first; None for those of this process.

    Raises:
        SystemExit: there is no such command, or the command itself ends with a status.
    """
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments), ""]
    os.environ[ENTRY_POINT_VARIABLE] = "1"
    with command_process():
        if name in ("", "-h", "--help"):
            sys.stdout.write(_overview())
        elif name == "--version":
            sys.stdout.write(f"recsys {recsys.__version__}\n")
        else:
            _run(name.replace("-", "_"), rest[:-1])


def _run(name: str, arguments: Sequence[str]) -> None:
    """Run the script of a command as ``python scripts/NAME.py`` would."""
    names = command_names()
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0)[0]
        sys.stderr.write(f"error: recsys has no command {name!r}; the nearest is {nearest!r}. All: recsys --help\n")
        raise SystemExit(UNKNOWN_COMMAND_STATUS)
    path = str(script_path(name))
    sys.argv = [path, *arguments]
    runpy.run_path(path, run_name="__main__")


def _overview() -> str:
    """The commands with a line each."""
    names = command_names()
    width = max(map(len, names))
    lines = [f"  {name:{width}}  {_summary(name)}" for name in names]
    head = [
        "usage: recsys COMMAND [ARGUMENTS]",
        "       recsys COMMAND --help",
        "       recsys --version",
        "",
        "commands:",
    ]
    return "\n".join([*head, *lines]) + "\n"


def _summary(name: str) -> str:
    """First line of a script's docstring, with the command as the entry point takes it; the script is not run."""
    docstring = ast.get_docstring(ast.parse(script_path(name).read_text(encoding="utf-8"))) or ""
    first = docstring.partition("\n")[0].replace("``", "")
    return re.sub(r"python scripts/(\w+)\.py", lambda found: command_line(found[1]), first)


if __name__ == "__main__":
    main()
