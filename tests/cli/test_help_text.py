from __future__ import annotations

import io
import sys

import pytest

from recsys.cli import help_text
from recsys.cli.help_text import fitted_help
from recsys.cli.line_wrapping import wrapped

LINE = "data: " + ", ".join(f"movielens_{size}m" for size in range(1, 12))


class Terminal(io.StringIO):
    """A terminal of 40 columns."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_text, "for_stream", lambda text, stream: wrapped(text, 40))


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *arguments: str) -> list[str]:
    monkeypatch.setattr(sys, "stdout", stream)
    with fitted_help(arguments):
        print(LINE)  # noqa: T201, as Hydra does
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_on_a_terminal_is_broken_between_words(monkeypatch, option):
    lines = shown(monkeypatch, Terminal(), option)
    assert len(lines) > 2 and max(map(len, lines)) <= 40
    assert " ".join(lines) == LINE


def test_help_in_a_file_stays_as_it_is(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), "--help") == [LINE]


def test_anything_else_stays_as_it_is(monkeypatch):
    assert shown(monkeypatch, Terminal(), "model=ease") == [LINE]


def test_help_that_ends_the_command_is_shown(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit), fitted_help(["-h"]):
        print("usage")  # noqa: T201
        raise SystemExit(0)
    assert stream.getvalue() == "usage\n"
