"""Guesses what the columns of a user's tables are, by their names and by what stands in them.

A guess is sure where one column alone has a name of its kind and holds values that go with it. All others are for a
person to confirm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from recsys.data.readers.date_order import AmbiguousDatesError
from recsys.data.readers.tables.table_sample import TableSample
from recsys.data.readers.tables.text_dates import parse_dates

#: Roles of the columns of interactions, as ``data.columns`` names them, in the order in which columns are given away.
INTERACTION_ROLES = ("user", "item", "timestamp", "rating", "weight")

#: Roles that no table of interactions does without.
REQUIRED_ROLES = ("user", "item")

#: Words of names.
_WORDS: Mapping[str, frozenset[str]] = {
    "user": frozenset("user users customer client member visitor reviewer person buyer shopper subscriber uid".split()),
    "item": frozenset(
        "item items product article movie film book isbn asin sku track song artist game recipe stock iid ean".split()
    ),
    "timestamp": frozenset("timestamp timestamps datetime time date day at when unixtime created ts".split()),
    "rating": frozenset("rating ratings stars score overall".split()),
    "weight": frozenset("quantity qty count plays playcount weight times pieces units".split()),
    "title": frozenset("title name".split()),
}
#: Words that make a name one of ids.
_ID = frozenset("id ids no nr num number code key index".split())
#: Share of the values that must be what a role needs; a few may be damaged.
_NEARLY_ALL = 0.95
#: The earliest time that a number stands for: seconds of 1990.
_FIRST_SECOND = 631_152_000


@dataclass(frozen=True, slots=True)
class RoleGuess:
    """Which column probably has a role.

    Args:
        role: such as ``user``.
        column: the likeliest; None: there is none.
        sure: whether nobody needs to be asked.
        others: columns that it might be as well, the likeliest first.
    """

    role: str
    column: str | None
    sure: bool
    others: tuple[str, ...] = ()


def guess_interaction_roles(sample: TableSample) -> list[RoleGuess]:
    """What the columns of interactions are, in the order of :data:`INTERACTION_ROLES`."""
    left, guesses = dict(sample.columns), []
    for role in INTERACTION_ROLES:
        guess = _named(role, left) or (_unnamed(role, left) if role in REQUIRED_ROLES or role == "timestamp" else None)
        guesses.append(guess or RoleGuess(role, None, role not in REQUIRED_ROLES, tuple(left)))
        if guess is not None and guess.column is not None:
            left.pop(guess.column)
    return guesses


def guess_title(sample: TableSample) -> RoleGuess:
    """Which column of an items table people know the items by."""
    return _named("title", sample.columns) or RoleGuess("title", None, True)


def _named(role: str, columns: Mapping[str, Sequence[str]]) -> RoleGuess | None:
    """The column by its name; None where no name is of this kind."""
    strengths = {name: _strength(role, name) for name in columns}
    named = sorted((name for name in columns if strengths[name] > 0), key=lambda name: -strengths[name])
    if role not in REQUIRED_ROLES:
        named = [name for name in named if _HOLDS[role](columns[name])]
    if not named:
        return None
    best, *others = named
    sure = all(strengths[other] < strengths[best] for other in others)
    return RoleGuess(role, best, sure, tuple(others))


def _unnamed(role: str, columns: Mapping[str, Sequence[str]]) -> RoleGuess | None:
    """The column by what stands in it alone, which is never sure; None where nothing fits."""
    if role == "timestamp":
        fit = [name for name, values in columns.items() if _are_dates(values)]
    else:
        fit = [name for name, values in columns.items() if _may_be_ids(values)]
    return RoleGuess(role, fit[0], False, tuple(fit[1:])) if fit else None


def _strength(role: str, name: str) -> int:
    """How much a name says of a role: 3 ``user_id``, 2 ``user``, 1 ``user_postcode``, 0 nothing."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    words = re.findall(r"[a-z]+", parts.lower())
    whole = "".join(words)
    words_of_role = _WORDS[role]
    if role in REQUIRED_ROLES:
        is_id = (len(words) > 1 and words[0] in words_of_role and all(word in _ID for word in words[1:])) or any(
            whole == word + ending for word in words_of_role for ending in _ID
        )
        if is_id:
            return 3
    if whole in words_of_role:
        return 2
    return 1 if words_of_role.intersection(words) else 0


def _numbers(values: Sequence[str]) -> list[float]:
    found = []
    for value in values:
        with suppress(ValueError):
            found.append(float(value.replace(",", ".") if value.count(",") == 1 else value))
    return found


def _are_numbers(values: Sequence[str]) -> bool:
    return len(values) > 0 and len(_numbers(values)) >= _NEARLY_ALL * len(values)


def _are_dates(values: Sequence[str]) -> bool:
    """Whether text is dates, in an order that may still have to be told."""
    if not values:
        return False
    try:
        return parse_dates(pa.chunked_array([pa.array(values, pa.string())]), "column") is not None
    except AmbiguousDatesError:
        return True


def _are_times(values: Sequence[str]) -> bool:
    return _are_dates(values) or (_are_numbers(values) and min(_numbers(values)) >= _FIRST_SECOND)


def _may_be_ids(values: Sequence[str]) -> bool:
    """Whether values come back, and are neither dates nor fractions."""
    has_fractions = _are_numbers(values) and any(number % 1 for number in _numbers(values))
    return 1 < len(set(values)) < len(values) and not has_fractions and not _are_times(values)


def _is_anything(values: Sequence[str]) -> bool:
    return len(values) > 0


_HOLDS: Mapping[str, Callable[[Sequence[str]], bool]] = {
    "timestamp": _are_times,
    "rating": _are_numbers,
    "weight": _are_numbers,
    "title": _is_anything,
}
