"""Words of the data, ready for pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

#: Parts of a value that are written out, at most.
_MAX_PARTS = 3


def plain(text: str) -> str:
    """A text that Streamlit's Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]{}<>()#+\-.!|$~:])", r"\\\1", text)


def heading_of(column: str) -> str:
    """The name of a column for people: ``release_date`` is ``Release date``."""
    words = column.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def value_text(value: Any) -> str:
    """A value of an item; several are divided by commas, and nothing is an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(one) for one in value)
    return str(value)


def summary(metadata: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> str:
    """What a card says of an item in one line: its columns but texts, in their order; of booleans those that hold."""
    parts = []
    for column in columns:
        value = metadata.get(column["name"])
        if value is None or value == "" or value == [] or column["kind"] == "text":
            continue
        if column["kind"] == "boolean":
            parts += [heading_of(column["name"])] if value in (True, "true") else []
        elif isinstance(value, list):
            more = len(value) - _MAX_PARTS
            parts.append(value_text(value[:_MAX_PARTS]) + (f" +{more}" if more > 0 else ""))
        elif isinstance(value, float) and not column.get("whole"):
            parts.append(f"{heading_of(column['name'])} {value_text(value)}")
        else:
            parts.append(value_text(value))
    return " · ".join(parts)


def first_category(metadata: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> str:
    """The first value of the first column of categories that the item has one in; an empty text without."""
    for column in columns:
        if column["kind"] == "category":
            value = metadata.get(column["name"])
            value = value[0] if isinstance(value, list) and value else value
            if value and not isinstance(value, list):
                return str(value)
    return ""
