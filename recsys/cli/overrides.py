"""Overrides of Hydra's command line as text."""

from __future__ import annotations

import re


def setting_of(override: str) -> str:
    """The top-level setting or group that an override is of.

    Example:
        >>> [setting_of(text) for text in ("model.l2=5", "+search.model.l2.low=1", "~tuned", "model/weighting=bm25")]
        ['model', 'search', 'tuned', 'model']
    """
    name = override.lstrip("+~").partition("=")[0]
    for end in (".", "/", "@"):
        name = name.partition(end)[0]
    return name


def quoted_text(value: str) -> str:
    """``value`` in the quotes in which Hydra takes it as it is, whatever signs it has.

    Example:
        >>> quoted_text("a=b")
        '"a=b"'
    """
    # Backslashes are doubled before a quote only: elsewhere Hydra takes them as they are.
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', value)
    return '"' + re.sub(r"\\+$", lambda end: end[0] * 2, escaped) + '"'
