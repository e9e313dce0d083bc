"""Interactions that nobody was trained on, by the ids of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID
from recsys.data.inspection.id_spaces import has_spaces
from recsys.data.prepared import open_prepared
from recsys.data.prepared_files import SCHEMA_FILE
from recsys.data.readers.table import TableReader
from recsys.errors import DataError
from recsys.evaluation.known_items import KnownTargets
from recsys.studies.newer_data.contestants import Contestant


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What users did after all that the contestants know, and what was left out of it.

    Args:
        name: of the data.
        pairs: ``user_id`` and ``item_id`` of each positive that is to be recovered, each pair once.
        known: the pairs that any contestant knows of these users, each once; unless known pairs are to be found again,
            none may recommend them.
        num_rows: rows that were read.
        num_rated_low: rows that are no positives.
        num_repeated: rows whose pair came before.
        num_known: pairs that a contestant knows already; they were left out, unless they are to be found again.
        num_unreachable: pairs that were left out, as no contestant has the item.
        missing_items: share of ``pairs`` whose item a contestant does not have, by its label.
        missing_users: number of users whom a contestant does not know, by its label.
        repeats: ``drop``: what is known is neither recommended nor to be found; ``keep``: it is to be found again, and
            each contestant recommends of it what it would when it is served.
        times: when each user is asked for, seconds since 1970: at their first newer interaction; empty where the data
            have no times.
        num_stripped: rows whose ids had white space around them, which was left out.
    """

    name: str
    pairs: pd.DataFrame
    known: pd.DataFrame
    num_rows: int
    num_rated_low: int
    num_repeated: int
    num_known: int
    num_unreachable: int
    missing_items: Mapping[str, float]
    missing_users: Mapping[str, int]
    repeats: KnownTargets = "drop"
    times: Mapping[str, int] = field(default_factory=dict)
    num_stripped: int = 0

    @property
    def users(self) -> list[str]:
        """The users who are asked for, sorted."""
        return sorted(self.pairs[USER_ID].unique())

    def told(self) -> list[str]:
        """What was read and what was left out, in sentences."""
        kept = self.repeats == "keep"
        left_out = {
            "known to a contestant already": 0 if kept else self.num_known,
            "repeated": self.num_repeated,
            "rated too low for a positive": self.num_rated_low,
            "of items that no contestant has": self.num_unreachable,
        }
        said = "; ".join(f"{number:,} {why}" for why, number in left_out.items() if number > 0)
        lines = [
            f"{self.name}: {self.num_rows:,} interactions, of which {len(self.pairs):,} of {len(self.users):,} "
            "users are to be recovered" + (f" (left out: {said})" if said else "")
        ]
        if self.num_stripped > 0:
            lines.append(
                f"white space around the ids of {self.num_stripped:,} interactions does not count, as no contestant "
                "has an id with any"
            )
        if kept:
            lines.append(
                f"{self.num_known:,} of them were known to a contestant already and are to be found again; lists have "
                "known items where they would have them when served"
            )
        for label, share in self.missing_items.items():
            users = self.missing_users[label]
            if share > 0 or users > 0:
                lines.append(
                    f"{label} does not have the items of {share:.1%} of them, which it can only miss, nor "
                    f"{users:,} of the users, who get what is popular"
                )
        return lines


def read_held_out(
    path: Path,
    columns: Mapping[str, str | None] | None,
    contestants: Sequence[Contestant],
    repeats: KnownTargets = "drop",
) -> HeldOut:
    """Read newer interactions, and leave out what cannot tell contestants apart or is known to one of them.

    Args:
        path: a table (CSV, Parquet, JSON lines) or a prepared directory.
        columns: names of the columns of a table, as ``data.columns`` has them; None for the usual ones.
        contestants: at least one; ratings are positives by the threshold of the first that has one.
        repeats: ``keep`` leaves pairs in that a contestant knows: they are to be found again.

    Raises:
        DataError: nothing is left to be recovered, or the table cannot be read.
        PreparedDataError: the prepared directory cannot be opened.
    """
    name, rows = _read(path, columns)
    num_rows = len(rows)
    rows, num_stripped = _stripped(rows, contestants)
    threshold = next((one.positive_threshold for one in contestants if one.positive_threshold is not None), None)
    positives = rows if threshold is None or RATING not in rows else rows[rows[RATING] >= threshold]
    pairs = positives[[USER_ID, ITEM_ID]].drop_duplicates()
    user_ids = sorted(pairs[USER_ID].unique())
    known = pd.concat([one.known_pairs(user_ids) for one in contestants]).drop_duplicates()
    fresh = pairs.merge(known, on=[USER_ID, ITEM_ID], how="left", indicator=True)
    is_known = fresh.pop("_merge") == "both"
    fresh = fresh if repeats == "keep" else fresh[~is_known]
    items = {one.label: one.items.index_of(fresh[ITEM_ID].tolist()) >= 0 for one in contestants}
    reachable = pd.DataFrame(items).any(axis=1).to_numpy(dtype=bool)
    kept = fresh[reachable].reset_index(drop=True)
    if len(kept) == 0:
        raise DataError(
            f"Interactions that no contestant was trained on are required, but of the {num_rows:,} of {path} none is "
            f"left: {len(pairs) - len(fresh):,} pairs are known to one already, the items of "
            f"{len(fresh):,} are in no contestant. Give what happened after the data of the newest."
        )
    asked = sorted(kept[USER_ID].unique())
    return HeldOut(
        name=name,
        pairs=kept,
        known=known[known[USER_ID].isin(asked)],
        num_rows=num_rows,
        num_rated_low=num_rows - len(positives),
        num_repeated=len(positives) - len(pairs),
        num_known=int(is_known.sum()),
        num_unreachable=len(fresh) - len(kept),
        missing_items={label: float(1 - has[reachable].mean()) for label, has in items.items()},
        missing_users={one.label: int((one.users.index_of(asked) < 0).sum()) for one in contestants},
        repeats=repeats,
        times=dict(positives.groupby(USER_ID)[TIMESTAMP].min()) if TIMESTAMP in positives else {},
        num_stripped=num_stripped,
    )


def _stripped(rows: pd.DataFrame, contestants: Sequence[Contestant]) -> tuple[pd.DataFrame, int]:
    """The rows without white space around the ids, as preparation strips them.

    Ids of a kind of which a contestant has one with white space around it stay as they are.

    Returns:
        The rows, and in how many of them there was some.
    """
    changed = pd.Series(False, index=rows.index)
    columns = {}
    for name, vocabularies in (
        (USER_ID, [one.users for one in contestants]),
        (ITEM_ID, [one.items for one in contestants]),
    ):
        if not any(has_spaces(vocabulary.ids) for vocabulary in vocabularies):
            columns[name] = rows[name].str.strip()
            changed |= columns[name] != rows[name]
    return rows.assign(**columns), int(changed.sum())


def _read(path: Path, columns: Mapping[str, str | None] | None) -> tuple[str, pd.DataFrame]:
    """The name of the data, and their interactions by external ids."""
    if (path / SCHEMA_FILE).is_file():
        prepared = open_prepared(path)
        interactions = prepared.interactions
        ids = {
            USER_ID: prepared.user_vocabulary.ids_of(interactions.user_index).to_pylist(),
            ITEM_ID: prepared.item_vocabulary.ids_of(interactions.item_index).to_pylist(),
        }
        further = {RATING: interactions.rating, TIMESTAMP: interactions.timestamp}
        there = {name: values for name, values in further.items() if values is not None}
        return prepared.schema.name, pd.DataFrame({**ids, **there})
    table = TableReader(interactions=path, columns=columns, name=path.stem).read().interactions
    wanted = [column for column in (USER_ID, ITEM_ID, RATING, TIMESTAMP) if column in table.column_names]
    return path.name, table.select(wanted).to_pandas()
