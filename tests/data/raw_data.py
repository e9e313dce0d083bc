"""Small raw data sets for the tests of preparation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, RawSource


def interactions_table(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str] = ("user_id", "item_id", "rating", "timestamp")
) -> pa.Table:
    """A raw table from rows; ids are strings."""
    types = {"user_id": pa.string(), "item_id": pa.string(), "fold": pa.string()}
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.table(
        {name: pa.array(list(column), types.get(name)) for name, column in zip(columns, values, strict=False)}
    )


@dataclass(frozen=True)
class FakeReader:
    """Returns what it was given, and counts how often it was asked."""

    raw: RawDataset
    name: str = "toy"
    settings: dict[str, object] = field(default_factory=dict)
    reads: list[int] = field(default_factory=list)

    def read(self) -> RawDataset:
        self.reads.append(1)
        return self.raw

    def fingerprint(self) -> dict[str, object]:
        return {"reader": "FakeReader", "arguments": self.settings}


def films() -> RawDataset:
    """Three users and three rated films out of four; user "7" is not user "007"; nobody rated "z"."""
    return RawDataset(
        name="films",
        interactions=interactions_table(
            [
                ("7", "x", 5.0, 30),
                ("007", "y", 3.0, 10),
                ("7", "y", 4.0, 20),
                ("ánna", "x", 1.0, 40),
                ("007", "w", 2.0, 50),
            ]
        ),
        users=pa.table({"user_id": ["007", "nobody", "7"], "age": [31, 99, 17]}),
        items=pa.table(
            {
                "item_id": ["x", "z", "y"],
                "title": ["Xanadu (1980)", "Zulu (1964)", ""],
                "genres": ["Musical|Fantasy", "War", None],
            }
        ),
        user_features=(FeatureColumn("age", FeatureKind.NUMBER),),
        item_features=(
            FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|"),
            FeatureColumn("title", FeatureKind.TEXT),
        ),
        sources=(RawSource("films.csv", "00ff", "a disk"),),
    )
