"""Overrides of Hydra's command line as text."""

from __future__ import annotations


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
