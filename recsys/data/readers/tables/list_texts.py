"""Text columns that hold several values in a row: lists as Python or JSON writes them, and values with a separator."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Separators that are recognised, and one that is so common in text that more has to speak for it.
_SEPARATORS = ("|", ";")
_COMMA = ","

#: Values of a list in one text are short; a longer part is a phrase.
_MAX_PART_CHARACTERS = 50
#: Each of the values has to occur at least this many times, on average.
_MIN_OCCURRENCES = 2
#: The same, and shares, of values that commas divide: nearly all texts are made of values that recur, and those that
#: come later in a text come first in others, as genres do and the parts of ``King, Stephen`` do not.
_MIN_OCCURRENCES_OF_COMMAS = 3
_NEARLY_ALL = 0.9
_MOST = 0.8

#: Perhaps two strings that only white space divides, as NumPy writes them; Python would read them as one.
_UNDIVIDED = re.compile(r"""(['"])\s+(['"])""")


def parse_lists(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A text column as lists of text, if each of its values is a list: ``['War', 'Drama']``, ``["War"]``, ``[1, 2]``.

    Objects in a list, ``[{'id': 1, 'name': 'War'}]``, give their name. Empty text is null. The text is parsed as data
    and never executed.

    Args:
        column: of text.

    Returns:
        The lists, or None if a value is none or all are empty.
    """
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    is_list = pc.match_substring_regex(text, r"(?s)^\[.*\]$")
    if text.null_count == len(text) or not pc.all(is_list).as_py():
        return None
    codes = text.combine_chunks().dictionary_encode()
    parsed = [_parsed(value) for value in codes.dictionary.to_pylist()]
    if any(value is None for value in parsed) or not any(parsed):
        return None
    lists = pa.array(parsed, pa.list_(pa.string())).take(codes.indices)
    return pa.chunked_array([lists])


def _parsed(text: str) -> list[str] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(_divided(text) if _UNDIVIDED.search(text) else text)
        except (ValueError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError):
            return None
    if not isinstance(value, list):
        return None
    names = [_name(element) for element in value]
    return None if None in names else [name for name in names if name]


def _divided(text: str) -> str:
    """A list with a comma between strings that only white space divides."""
    parts: list[str] = []
    last = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER):
            continue
        parts += [",", token.string] if token.type == last == tokenize.STRING else [token.string]
        last = token.type
    return " ".join(parts)


def _name(element: Any) -> str | None:
    """One element as text; None if it is no single value."""
    if isinstance(element, dict):
        element = next((element[key] for key in ("name", "title", "label", "value", "id") if key in element), element)
    if element is None:
        return ""
    if isinstance(element, bool):
        return str(element).lower()
    return str(element) if isinstance(element, str | int | float) else None


def find_separator(column: pa.ChunkedArray) -> str | None:
    """What divides several values of a text column, ``|``, ``;`` or ``,``, or None if its values are single.

    A character is a separator if the parts that it divides are short and recur: genres and tags do, titles and
    sentences do not. Of a comma the parts have to be a small vocabulary that nearly all texts are made of, in any
    order: genres are, a family name and a first name are not.
    """
    found = next((separator for separator in _SEPARATORS if _divides(column, separator)), None)
    if found is None and _divides(column, _COMMA) and _is_vocabulary(column):
        return _COMMA
    return found


def suspect_separator(column: pa.ChunkedArray) -> str | None:
    """A comma, if it seems to divide several values as in ``War, Drama``, but may as well be part of one."""
    return _COMMA if _divides(column, _COMMA) else None


def _is_vocabulary(column: pa.ChunkedArray) -> bool:
    """Whether commas divide texts into a small vocabulary of values that come in any order."""
    lists = pc.split_pattern(column.drop_null().combine_chunks(), _COMMA)
    texts = pc.list_parent_indices(lists).to_numpy()
    values = pc.utf8_trim_whitespace(pc.list_flatten(lists))
    there = pc.not_equal(values, "").to_numpy(zero_copy_only=False)
    texts, values = texts[there], values.filter(pa.array(there))
    if pc.all(pc.match_substring_regex(values, r"^[+-]?\d+(\.\d+)?$")).as_py():
        return False  # perhaps decimal commas
    coded = values.dictionary_encode()
    codes = coded.indices.to_numpy()
    counts = np.bincount(codes)
    if len(counts) * _MIN_OCCURRENCES_OF_COMMAS > len(codes):
        return False
    rare = np.bincount(texts, weights=counts[codes] < _MIN_OCCURRENCES) > 0
    if rare[texts].mean() > 1 - _NEARLY_ALL:
        return False
    is_first = np.concatenate([[True], texts[1:] != texts[:-1]])
    ever_first = np.zeros(len(counts), dtype=np.bool_)
    ever_first[codes[is_first]] = True
    return bool(ever_first[codes[~is_first]].mean() >= _MOST)


def _divides(column: pa.ChunkedArray, separator: str) -> bool:
    present = column.drop_null()
    if not pc.any(pc.match_substring(present, separator)).as_py():
        return False
    parts = pc.utf8_trim_whitespace(pc.list_flatten(pc.split_pattern(present, separator)))
    is_short = pc.max(pc.utf8_length(parts)).as_py() <= _MAX_PART_CHARACTERS
    return bool(is_short and pc.count_distinct(parts).as_py() * _MIN_OCCURRENCES <= len(parts))
