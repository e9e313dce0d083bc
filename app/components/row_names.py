"""Names beside the rows of a chart: long ones are written in two lines instead of being cut off."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import altair as alt

#: Height of a row, which two lines fit into.
ROW_PIXELS = 30
#: Signs of a line; a word that is longer, such as a route, stays whole.
_LINE = 30


def two_lines(names: Iterable[str]) -> list[str]:
    r"""The names with the ends of lines in them, as :func:`names_axis` draws them.

    Example:
        >>> two_lines(["Taken away: there were enough better ones", "Rank"])
        ['Taken away: there were enough\nbetter ones', 'Rank']
    """
    return ["\n".join(textwrap.wrap(name, _LINE, break_long_words=False, break_on_hyphens=False)) for name in names]


def names_axis() -> alt.Axis:
    """An axis of such names."""
    return alt.Axis(labelExpr="split(datum.label, '\\n')", labelLimit=220, labelLineHeight=11, labelOverlap=False)
