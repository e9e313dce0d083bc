"""Texts that have a meaning for a terminal or for the library that prints, as ids, titles and names of columns."""

from __future__ import annotations

import re

#: Markup that closes nothing, that would vanish, that would be a picture, a link, a colour.
PLAIN = ("Loud [/b] end", "[import] tax", "Plain :smile: film", "[link=http://a.b]x[/link]", "[red]Red", r"a \[b] c\\")

#: What would move the cursor, ring, clear the screen or turn the direction of reading.
CONTROL = (
    "bell\x07",
    "clear\x1b[2J",
    "back\b\b",
    "over\rwritten",
    "two\nlines",
    "tab\tbed",
    "c1\x9b31m",
    "rtl\u202eevil",
)

#: How the latter must be shown.
SHOWN = (
    r"bell\x07",
    r"clear\x1b[2J",
    r"back\x08\x08",
    r"over\rwritten",
    r"two\nlines",
    r"tab\tbed",
    r"c1\x9b31m",
    r"rtl\u202eevil",
)

#: A sequence of rich itself: a colour or a weight.
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def assert_as_it_is(printed: str, texts: tuple[str, ...]) -> None:
    """Require that ``printed`` shows each text, and sends nothing to the terminal but styles."""
    plain = _STYLE.sub("", printed)
    missing = [text for text in texts if text not in plain]
    assert not missing, f"{missing} not in {plain}"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)
