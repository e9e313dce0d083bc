"""A recommender in five lines: ``python examples/five_lines.py interactions.csv items.csv``.

The first table has the columns ``user_id``, ``item_id`` and ``timestamp``, the second one ``item_id`` and whatever is
known of items. Without arguments the tables are those of MovieLens 100K.
"""

from __future__ import annotations

import sys

import pandas as pd

import recsys


def main(interactions: pd.DataFrame, items: pd.DataFrame | None) -> None:
    """Fit, recommend and evaluate."""
    users = interactions["user_id"].unique()[:3]

    data = recsys.Dataset.from_pandas(interactions, items=items)
    split = data.split("leave_last_out")
    model = recsys.EASE(l2=300).fit(split.train)
    lists = model.recommend(users, k=10, titles=True)
    report = recsys.evaluate(model, split)

    print(lists.to_string(index=False))
    print(report)


def tables(paths: list[str]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The tables that are named, or those of MovieLens 100K."""
    if not paths:
        films = recsys.Dataset.movielens_100k()
        return films.interactions, films.items
    return pd.read_csv(paths[0]), pd.read_csv(paths[1]) if len(paths) > 1 else None


if __name__ == "__main__":
    main(*tables(sys.argv[1:]))
