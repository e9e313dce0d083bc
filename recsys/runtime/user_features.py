"""Columns of the users who ask: what the bundle has, and in its place what a request tells.

Shape suffixes: U users of the vocabulary, W values of a user at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.coded_columns import CodedColumn, CodedValues
from recsys.data.raw import FeatureKind
from recsys.errors import RecsysError

#: What is told of a column: one value, several, or None for nothing.
Told = str | int | float | bool | Sequence[str] | None


class UserFeatures:
    """Columns of users as models read them.

    Args:
        columns: those that the models read; none: no columns count.
        of_users: what they say of each user of the vocabulary, U rows each.
    """

    def __init__(self, columns: Sequence[CodedColumn], of_users: CodedValues) -> None:
        self._columns = {column.name: column for column in columns}
        self._of_users = of_users

    def of(self, user: int, told: Mapping[str, Told]) -> tuple[CodedValues, tuple[str, ...]]:
        """The columns of one user, and the values that were told and are not known, as ``column: value``.

        Args:
            user: internal index; -1: nothing is known but what is told.
            told: by column; the others are as the bundle has them.

        Returns:
            Codes, shape [1, W], or numbers, shape [1], for each column.

        Raises:
            RecsysError: there is no such column, or a value is of another type than it should be.
        """
        for name in told:
            if name not in self._columns:
                known = f"only {', '.join(self._columns)} count" if self._columns else "no columns of users count"
                raise RecsysError(f"The user feature {name} was given, but for these models {known}. Leave it out.")
        features: CodedValues = {}
        unknown: list[str] = []
        for name, column in self._columns.items():
            own = self._of_users[name]
            if name not in told:
                features[name] = own[[user]] if user >= 0 else _as_wide(column.nothing(1), own)
                continue
            values, not_known = _encoded(column, told[name])
            features[name] = _as_wide(values, own)
            unknown += [f"{name}: {value}" for value in not_known]
        return features, tuple(unknown)


def joined(rows: Sequence[CodedValues]) -> CodedValues:
    """The columns of several users as one batch, as wide as the widest row."""
    names = rows[0].keys() if rows else ()
    together = {}
    for name in names:
        columns = [row[name] for row in rows]
        widest = max(columns, key=lambda values: values.shape[1:])
        together[name] = np.concatenate([_as_wide(values, widest) for values in columns])
    return together


def _as_wide(values: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Codes filled up with -1 to the width of ``others``; numbers as they are."""
    if values.ndim == 1 or values.shape[1] >= others.shape[1]:
        return values
    return np.pad(values, ((0, 0), (0, others.shape[1] - values.shape[1])), constant_values=-1)


def _encoded(column: CodedColumn, told: Told) -> tuple[npt.NDArray[Any], list[str]]:
    """One row, and the values in it that are not in the vocabulary.

    Raises:
        RecsysError: it is of another type than it should be.
    """
    if told is None:
        return column.nothing(1), []
    several = list(told) if isinstance(told, Sequence) and not isinstance(told, str) else None
    required = _REQUIRED[column.kind]
    if column.kind == FeatureKind.MULTI_VALUED and column.separator is not None:
        required = f"{required}, or one text with {column.separator} between them"
    fits = {
        FeatureKind.NUMBER: isinstance(told, int | float) and not isinstance(told, bool) and math.isfinite(told),
        FeatureKind.CATEGORICAL: isinstance(told, str | int | float),
        FeatureKind.MULTI_VALUED: several is not None or (isinstance(told, str) and column.separator is not None),
        FeatureKind.TEXT: isinstance(told, str),
    }[column.kind]
    try:
        values = pa.chunked_array([pa.array([told if several is None else several])]) if fits else None
    except pa.ArrowException:  # a list of several types
        values = None
    if values is None:
        raise RecsysError(f"The user feature {column.name} must be {required}, but it is {told!r}.")
    if several is not None:
        column = CodedColumn(column.name, column.kind, None, column.vocabulary)
    return column.encode(values), _not_known(column, values)


_REQUIRED = {
    FeatureKind.NUMBER: "a number",
    FeatureKind.CATEGORICAL: "one value",
    FeatureKind.MULTI_VALUED: "a list of values",
    FeatureKind.TEXT: "a text",
}


def _not_known(column: CodedColumn, values: pa.ChunkedArray) -> list[str]:
    """Values that the vocabulary lacks; not the words of a text, of which only frequent ones are known."""
    if column.vocabulary is None or column.kind == FeatureKind.TEXT:
        return []
    return [value for value in column.values_of(values)[1].drop_null().to_pylist() if value not in column.vocabulary]
