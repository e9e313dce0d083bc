"""A small prepared directory, for tests of imports."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from recsys.data.preparing import Preparation
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset

#: 1 March 2024, noon, and a day of 1998.
NOON_SECONDS, LONG_AGO = 1_709_294_400, 890_000_000


class SmallReader:
    """Three users and three items; Ada rated item 1 twice.

    Args:
        without: columns of the interactions that are left out.
        name: of the data.
    """

    def __init__(self, without: tuple[str, ...] = (), name: str = "small") -> None:
        self.name = name
        self._without = without

    def read(self) -> RawDataset:
        """See :class:`recsys.data.raw.Reader`."""
        interactions = pa.table(
            {
                "user_id": ["ada", "ada", "bob", "cyd", "ada"],
                "item_id": ["1", "2", "1", "3", "1"],
                "rating": [5.0, 3.5, 4.0, 1.0, 2.0],
                "timestamp": [LONG_AGO, LONG_AGO + 1, NOON_SECONDS, NOON_SECONDS, NOON_SECONDS + 60],
            }
        )
        return RawDataset(
            name=self.name,
            interactions=interactions.drop_columns(list(self._without)),
            users=pa.table({"user_id": ["ada", "bob"], "age": pa.array([36, None], pa.int64())}),
            items=pa.table(
                {"item_id": ["1", "2", "3"], "title": ["Alien", None, "Heat"], "genres": [["SF"], [], None]}
            ),
            user_features=(FeatureColumn("age", FeatureKind.NUMBER),),
            item_features=(FeatureColumn("genres", FeatureKind.MULTI_VALUED),),
        )

    def fingerprint(self) -> dict[str, object]:
        """See :class:`recsys.data.raw.Reader`."""
        return {"reader": self.name, "without": list(self._without)}


def prepare(directory: Path, without: tuple[str, ...] = (), repeats: str = "keep") -> Path:
    """Prepare the data; repeated interactions are kept where nothing else is said."""
    return Preparation(repeats=repeats).prepare(SmallReader(without), directory).directory
