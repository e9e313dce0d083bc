"""Breaks lines of text at blanks to fit a terminal, which itself would break them inside words."""

from __future__ import annotations

import os
import re
from typing import TextIO

from rich.cells import cell_len

#: A command with its settings, as messages have it: ``python scripts/train.py resume=DIR``, ``recsys train -m seed=1``.
_COMMAND = r"(?:\S*python\S* \S*scripts/\w+\.py|\S*recsys [a-z_]+)(?: (?:-\S+|'[^']*'|[\w.+~/@]+=\S+|\S*/\S+))*"

#: What stays on one line, with the blanks before it.
_UNIT = re.compile(rf"\s*(?:{_COMMAND}\S*|\S+)")

#: A word of a command; blanks in quotes belong to it.
_ARGUMENT = re.compile(r"(?:'[^']*'|[^\s'])+")


def wrapped(text: str, width: int) -> str:
    r"""``text`` on lines of at most ``width``, where its words allow it.

    A command stays on one line, or is broken so that a shell takes its lines for one. A word that is wider than a line,
    such as a path, stays whole on a line of its own: the terminal breaks it, and it can still be copied.

    Args:
        text: of one or more lines.
        width: of the terminal, in columns.

    Example:
        >>> print(wrapped("943 users, 1,682 items, 69,963 training interactions", 30))
        943 users, 1,682 items, 69,963
        training interactions
    """
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def for_stream(text: str, stream: TextIO) -> str:
    """``text`` as :func:`wrapped` gives it where ``stream`` is a terminal; elsewhere as it is."""
    try:
        return wrapped(text, os.get_terminal_size(stream.fileno()).columns) if stream.isatty() else text
    except (OSError, ValueError):  # a terminal that has gone, or a stream without a file
        return text


def _wrapped_line(line: str, width: int) -> str:
    if width < 1 or cell_len(line) <= width:
        return line
    lines = [""]
    for unit in _UNIT.findall(line):
        if cell_len(lines[-1] + unit) <= width:
            lines[-1] += unit
        else:
            words = unit.lstrip()
            indent = "" if lines[-1] else unit[: -len(words)]
            parts = [f"{indent}{part}" for part in _shell_lines(words, width - len(indent))]
            lines = [*lines, *parts] if lines[-1] else parts
    return "\n".join(lines)


def _shell_lines(unit: str, width: int) -> list[str]:
    """A command on lines that a shell takes for one; a word, and what fits, as it is."""
    program, *arguments = _ARGUMENT.findall(unit)
    if not arguments or cell_len(unit) <= width:
        return [unit]
    lines = [f"{program} {arguments[0]}"]
    for argument in arguments[1:]:
        if cell_len(f"{lines[-1]} {argument} \\") > width:
            lines[-1] += " \\"
            lines.append(f"  {argument}")
        else:
            lines[-1] += f" {argument}"
    return lines
