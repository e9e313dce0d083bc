"""Text of the data, such as titles, ids and names of columns, as a terminal can show it."""

from __future__ import annotations

import re

from rich.text import Text

#: What moves the cursor, changes colours, turns the direction of reading or breaks a line, and lone surrogates, which
#: no stream takes. Joiners stay: some scripts need them.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str, keep: str = "") -> str:
    r"""``text`` with its control characters written out.

    Args:
        text: of the data.
        keep: control characters that stay, such as the line ends of a message.

    Example:
        >>> visible("a title\x1b[2J\twith [/b] and :smile:")
        'a title\\x1b[2J\\twith [/b] and :smile:'
    """
    return _INVISIBLE.sub(
        lambda found: found[0] if found[0] in keep else found[0].encode("unicode_escape").decode(), text
    )


def data_text(text: str, style: str = "") -> Text:
    """``text`` as a part of what is printed: on one line, with no sign that has a meaning for the terminal.

    Args:
        text: of the data.
        style: of rich, such as ``bold``.
    """
    return Text(visible(text), style=style)
