"""Asks the person at the terminal, where there is one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from recsys.cli.console import console

#: What is typed for none of what is offered.
NONE = "-"


def can_ask() -> bool:
    """Whether a person reads what is printed and can type an answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def choose(question: str, options: Sequence[str], likely: str | None, optional: bool) -> str | None:
    """Ask until one of ``options`` is named, by its number or its name; an empty line is the likely one.

    Args:
        question: without a question mark.
        options: what there is.
        likely: taken for an empty line; None: there is no such one.
        optional: whether ``-``, none of them, is an answer.

    Returns:
        The option; None for none of them.

    Raises:
        EOFError: no more can be typed.
    """
    console.print(f"{question}?")
    for number, option in enumerate(options, start=1):
        console.print(f"  {number}  {option}")
    if optional:
        console.print(f"  {NONE}  none of them")
    usual = likely if likely is not None else NONE if optional else None
    while True:
        said = console.input("" if usual is None else f"[{usual}] ", markup=False).strip() or usual
        if optional and said == NONE:
            return None
        if said in options:
            return said
        if said is not None and said.isdecimal() and 1 <= int(said) <= len(options):
            return options[int(said) - 1]
        console.print(f"One of the numbers or names is required{f', or {NONE}' if optional else ''}; {said!r} is none.")
