"""Team-draft interleaving: one list of two rankers, in which each item is credited to the ranker that put it there.

The rankers pick in turns, like captains of two teams; in each round a coin says who picks first, and each picks the
best item of its list that is not taken yet. A user sees one list and compares both rankers at once, so the
differences between users cancel, and far fewer users are needed than where each sees one ranker only.

Source: Radlinski, Kurup and Joachims, How Does Clickthrough Data Reflect Retrieval Quality?, CIKM 2008.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.errors import ExperimentError

#: Who put an item into the list; None: nobody is credited.
Team = Literal["first", "second"]


@dataclass(frozen=True, slots=True)
class InterleavedList:
    """A list of two rankers. The teams are to be logged with it.

    Args:
        item_ids: best first.
        teams: of each item: ``first`` or ``second``; None for items that filled the list when one ranker had no more.
    """

    item_ids: tuple[str, ...]
    teams: tuple[Team | None, ...]

    def credit(self, item_ids: Iterable[str]) -> tuple[int, int]:
        """Numbers of items of each team among those that a user chose; an item that was chosen twice counts once.

        Raises:
            ExperimentError: an item is not in the list.
        """
        team_of = dict(zip(self.item_ids, self.teams, strict=True))
        chosen = set(item_ids)
        unknown = sorted(chosen - team_of.keys())
        if unknown:
            raise ExperimentError(f"only items of the list can be credited; {', '.join(unknown)} are not in it")
        teams = [team_of[item] for item in chosen]
        return teams.count("first"), teams.count("second")


def team_draft(first: Sequence[str], second: Sequence[str], k: int, seed: int | str) -> InterleavedList:
    """Interleave two lists.

    Args:
        first: items of one ranker, best first.
        second: items of the other.
        k: length of the list; it is shorter where both rankers together have fewer items.
        seed: of the coins; another one for each list, such as its recommendation id.

    Raises:
        ExperimentError: ``k`` is below 1, or a list has an item twice.
    """
    if k < 1:
        raise ExperimentError(f"an interleaved list has at least 1 item; k is {k}")
    for name, items in (("first", first), ("second", second)):
        if len(set(items)) < len(items):
            raise ExperimentError(f"each item is in a list once; the {name} list has some twice: {list(items)}")
    coins, draft = random.Random(seed), _Draft({"first": first, "second": second})
    while len(draft.item_ids) < k:
        teams: tuple[Team, Team] = ("first", "second") if coins.random() < 0.5 else ("second", "first")
        if any(draft.best(team) is None for team in teams):
            draft.fill(k)
            break
        draft.pick(teams[0])
        if len(draft.item_ids) < k and not draft.pick(teams[1]):
            draft.teams[-1] = None  # the other team had nothing to match it with
    return InterleavedList(tuple(draft.item_ids), tuple(draft.teams))


class _Draft:
    """A list that is being drafted."""

    def __init__(self, rankings: dict[Team, Sequence[str]]) -> None:
        self.item_ids: list[str] = []
        self.teams: list[Team | None] = []
        self._waiting = {team: list(items)[::-1] for team, items in rankings.items()}
        self._taken: set[str] = set()

    def best(self, team: Team) -> str | None:
        """The best item of a team that is not taken."""
        waiting = self._waiting[team]
        while waiting and waiting[-1] in self._taken:
            waiting.pop()
        return waiting[-1] if waiting else None

    def pick(self, team: Team, credited: bool = True) -> bool:
        """Take the best item of a team; whether there was one."""
        item = self.best(team)
        if item is None:
            return False
        self._taken.add(item)
        self.item_ids.append(item)
        self.teams.append(team if credited else None)
        return True

    def fill(self, k: int) -> None:
        """Take what is left of one team when the other has no more; an advantage that could not be matched."""
        while len(self.item_ids) < k and (self.pick("first", False) or self.pick("second", False)):
            pass
