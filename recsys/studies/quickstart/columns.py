"""Which columns of a person's own tables are what: given, recognised, or asked for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recsys.cli.text_table import TextTable
from recsys.data.readers.tables.column_roles import (
    INTERACTION_ROLES,
    REQUIRED_ROLES,
    RoleGuess,
    guess_interaction_roles,
    guess_title,
)
from recsys.data.readers.tables.table_sample import TableSample
from recsys.errors import SettingsError

#: The value of a setting of a column that is to be recognised.
GUESS = "guess"

#: What a role is called in a question.
_MEANINGS = {
    "user": "who: the user, customer or visitor",
    "item": "what: the item, product or film",
    "timestamp": "when",
    "rating": "how much they liked it, a rating",
    "weight": "how much of it, a quantity or a number of plays",
    "title": "what people know the item by",
}
_SHOWN = 3

#: Asks which of some columns it is: a question, the columns, the likely one, and whether it may be none.
Ask = Callable[[str, Sequence[str], str | None, bool], str | None]


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The column of a role.

    Args:
        role: such as ``user``.
        column: its name; None: there is none.
        origin: how it was found, in a few words.
        examples: values that stand in it.
    """

    role: str
    column: str | None
    origin: str
    examples: tuple[str, ...] = ()


def choose_columns(
    interactions: TableSample,
    items: TableSample | None,
    given: Mapping[str, str | None],
    ask: Ask | None,
) -> list[ColumnChoice]:
    """Find a column for each role.

    Args:
        interactions: who interacted with what.
        items: what there is; None: no such table.
        given: a column for each role, None for none, or :data:`GUESS`.
        ask: asks a person where a guess is not sure; None: nobody is there.

    Raises:
        SettingsError: a given column does not exist, or a guess is not sure and nobody can be asked; with what to pass.
    """
    guesses = guess_interaction_roles(_without_given(interactions, given))
    choices = [_chosen(guess, interactions, given, ask) for guess in guesses if given[guess.role] == GUESS]
    choices += [_given(role, interactions, given[role]) for role in INTERACTION_ROLES if given[role] != GUESS]
    choices.sort(key=lambda choice: INTERACTION_ROLES.index(choice.role))
    if items is not None:
        is_given = given["title"] != GUESS
        choices.append(
            _given("title", items, given["title"]) if is_given else _chosen(guess_title(items), items, given, ask)
        )
    names = [choice.column for choice in choices if choice.column is not None and choice.role != "title"]
    if len(set(names)) < len(names):
        raise SettingsError(f"Each role must have a column of its own, but they are {', '.join(names)}. Correct them.")
    return choices


def columns_table(choices: Sequence[ColumnChoice]) -> TextTable:
    """What was found, for a person to check."""
    table = TextTable("role", "column", "found", "examples", title="Columns")
    for choice in choices:
        table.add_row(choice.role, choice.column or "-", choice.origin, ", ".join(choice.examples))
    return table


def _without_given(sample: TableSample, given: Mapping[str, str | None]) -> TableSample:
    return TableSample({name: values for name, values in sample.columns.items() if name not in given.values()})


def _given(role: str, sample: TableSample, column: str | None) -> ColumnChoice:
    if column is not None and column not in sample.columns:
        raise SettingsError(
            f"columns.{role} must be among {', '.join(sample.columns)}, but it is {column!r}. Correct it."
        )
    if column is None and role in REQUIRED_ROLES:
        raise SettingsError(
            f"columns.{role} must be a column, but it is null. Name one of {', '.join(sample.columns)}."
        )
    return _choice(role, sample, column, "given")


def _chosen(guess: RoleGuess, sample: TableSample, given: Mapping[str, str | None], ask: Ask | None) -> ColumnChoice:
    if guess.sure:
        return _choice(guess.role, sample, guess.column, "by its name" if guess.column else "none was recognised")
    options = [*([guess.column] if guess.column else []), *guess.others]
    if ask is None or not options:
        raise SettingsError(_unsure_message(guess, options, list(sample.columns)))
    answer = ask(f"Which column says {_MEANINGS[guess.role]}", options, guess.column, guess.role not in REQUIRED_ROLES)
    return _choice(guess.role, sample, answer, "as answered")


def _unsure_message(guess: RoleGuess, options: Sequence[str], found: Sequence[str]) -> str:
    likely = " or ".join(shlex.quote(f"columns.{guess.role}={name}") for name in options[:_SHOWN])
    said = f"pass {likely}" if options else f"pass columns.{guess.role}=NAME"
    no_column = "" if guess.role in REQUIRED_ROLES else f", or columns.{guess.role}=null for none"
    return (
        f"A column that says {_MEANINGS[guess.role]} is required, but among {', '.join(found)} none is it for sure: "
        f"{said}{no_column}."
    )


def _choice(role: str, sample: TableSample, column: str | None, origin: str) -> ColumnChoice:
    examples = () if column is None else tuple(dict.fromkeys(sample.columns[column]))[:_SHOWN]
    return ColumnChoice(role, column, origin, examples)
