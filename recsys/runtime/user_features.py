"""Columns of the users who ask: what the bundle has, and in its place what a request tells.

Shape suffixes: U users of the vocabulary, B users of a batch, W values of a user at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.column_values import is_date, plain_type, split_words, text_of
from recsys.data.encoded_columns import EncodedColumn, EncodedValues
from recsys.data.raw import FeatureKind
from recsys.errors import RequestError
from recsys.retrieval.moments import microseconds, moment_text

#: What is told of a column: one value, several, or None for nothing.
FeatureValue = str | int | float | bool | Sequence[str | int | float | bool] | None

#: Values, or words, that a request may tell of one column: what a model holds grows with them.
MAX_VALUES = 1_000

_LARGEST = float(np.finfo(np.float32).max)

_REQUIRED = {
    FeatureKind.NUMBER: "a number",
    FeatureKind.CATEGORICAL: "one value",
    FeatureKind.MULTI_VALUED: "a list of values",
    FeatureKind.TEXT: "a text",
}


class UserFeatures:
    """Columns of users as models read them.

    Args:
        columns: those that the models read; none: no columns count.
        users: what they say of each user of the vocabulary, U rows; None: nothing.

    Raises:
        RequestError: a column is of another type than it should be.
    """

    def __init__(self, columns: Sequence[EncodedColumn], users: pa.Table | None) -> None:
        there = {} if users is None else {name: users.column(name) for name in users.column_names}
        self._columns = {of.name: _UserColumn(of, there.get(of.name)) for of in columns}

    def of(self, user: int, told: Mapping[str, FeatureValue]) -> tuple[EncodedValues, tuple[str, ...]]:
        """The columns of one user, and the values that were told and are not known, as ``column: value``.

        Args:
            user: internal index; -1: nothing is known but what is told.
            told: by column; the others are as the bundle has them.

        Returns:
            Codes, shape [1, W], or numbers, shape [1], for each column.

        Raises:
            RequestError: there is no such column, or a value is of another type than it should be.
        """
        for name in told:
            if name not in self._columns:
                raise RequestError(unknown_feature_message(name, list(self._columns)))
        features: EncodedValues = {}
        unknown: list[str] = []
        for name, column in self._columns.items():
            if name in told:
                features[name], not_known = column.told(told[name])
                unknown += [f"{name}: {value}" for value in not_known]
            else:
                features[name] = column.of(user)
        return features, tuple(unknown)


def unknown_feature_message(name: str, read: Sequence[str]) -> str:
    """What to say of a feature that no model reads."""
    known = f"only {', '.join(read)} count" if read else "no columns of users count"
    return f"The user feature {name} was given, but for these models {known}. Leave it out."


def number_of(told: FeatureValue) -> float | None:
    """The number that is told; None where it is none, or none that float32 holds."""
    if not isinstance(told, int | float) or isinstance(told, bool) or not abs(told) <= _LARGEST:
        return None
    return float(told)


def _days(told: str) -> float | None:
    """A date or time in ISO 8601 as days since 1970, as models read it; None where it is none."""
    moment = moment_text(told)
    return None if moment is None else microseconds(moment, is_end=False) / 86_400e6


def joined_features(rows: Sequence[EncodedValues]) -> EncodedValues:
    """The columns of several users as one batch of B rows; W is a power of two, so that there are few widths."""
    together: EncodedValues = {}
    for name in rows[0] if rows else ():
        parts = [row[name] for row in rows]
        if parts[0].ndim == 1:
            together[name] = np.concatenate(parts)
            continue
        width = 1 << (max(part.shape[1] for part in parts) - 1).bit_length()
        codes = np.full((sum(map(len, parts)), width), -1, dtype=np.int64)
        for row, part in zip(np.cumsum([0, *map(len, parts[:-1])]), parts, strict=True):
            codes[row : row + len(part), : part.shape[1]] = part
        together[name] = codes
    return together


class _UserColumn:
    """One column: what is known of the users, and how further values are encoded."""

    def __init__(self, column: EncodedColumn, values: pa.ChunkedArray | None) -> None:
        self._column = column
        self._codes = {value: code for code, value in enumerate(column.vocabulary or ())}
        self._numbers = self._offsets = self._values = None
        self._is_date = column.is_date or (values is not None and is_date(plain_type(values.type)))
        if values is not None and column.vocabulary is None:
            self._numbers = column.encode(values)
        elif values is not None:
            self._offsets, self._values = column.encode_ragged(values)

    def of(self, user: int) -> npt.NDArray[Any]:
        """What is known of a user; nothing of user -1."""
        if user >= 0 and self._numbers is not None:
            return self._numbers[[user]]
        if user >= 0 and self._offsets is not None and self._values is not None:
            codes = self._values[self._offsets[user] : self._offsets[user + 1]]
            return codes[None] if len(codes) > 0 else self._column.missing(1)
        return self._column.missing(1)

    def told(self, value: FeatureValue) -> tuple[npt.NDArray[Any], list[str]]:
        """What is told, and the values in it that are not known.

        Raises:
            RequestError: it is of another type than it should be, or too much.
        """
        if value is None:
            return self._column.missing(1), []
        if self._column.kind == FeatureKind.NUMBER:
            number = _days(value) if self._is_date and isinstance(value, str) else number_of(value)
            if number is None:
                raise self._refused(value)
            return np.array([number], dtype=np.float32), []
        texts = self._texts(value)
        if len(texts) > MAX_VALUES:
            raise RequestError(
                f"The user feature {self._column.name} may have {MAX_VALUES:,} values, but {len(texts):,} came. Leave "
                "some out."
            )
        codes = [self._codes[text] for text in texts if text in self._codes]
        # Of a text only the frequent words are known: the others are no mistake.
        is_text = self._column.kind == FeatureKind.TEXT
        unknown = [] if is_text else [text for text in texts if text not in self._codes]
        return np.array([codes], dtype=np.int64) if codes else self._column.missing(1), unknown

    def _texts(self, value: FeatureValue) -> list[str]:
        """The single values as the data would have them, empty ones left out."""
        kind, separator = self._column.kind, self._column.separator
        parts: Sequence[object]
        if kind == FeatureKind.TEXT and isinstance(value, str):
            try:
                return [str(word) for word in split_words(pa.chunked_array([[value]]))[1].to_pylist()]
            except UnicodeError:
                raise self._refused(value) from None
        if kind == FeatureKind.CATEGORICAL and isinstance(value, str | int | float):
            parts = [value]
        elif kind == FeatureKind.MULTI_VALUED and isinstance(value, list | tuple):
            parts = value
        elif kind == FeatureKind.MULTI_VALUED and isinstance(value, str) and separator is not None:
            parts = [part.strip() for part in value.split(separator)]
        else:
            raise self._refused(value)
        texts = []
        for part in parts:
            if not isinstance(part, str | int | float):
                raise self._refused(value)
            texts.append(text_of(part))
        return [text for text in texts if text is not None]

    def _refused(self, value: FeatureValue) -> RequestError:
        required, separator = _REQUIRED[self._column.kind], self._column.separator
        if self._is_date:
            required = "a date such as 2024-05-31"
        if separator is not None:
            required = f"{required}, or one text with {separator} between them"
        return RequestError(f"The user feature {self._column.name} must be {required}, but it is {value!r}.")
