"""From tables to a bundle that answers: ``python examples/bundle_in_ten_lines.py DIR interactions.csv items.csv``.

``DIR`` is where the bundle goes. Without tables they are those of MovieLens 100K. Needs the extra ``serving``.
"""

from __future__ import annotations

import sys

import pandas as pd
from five_lines import tables

import recsys


def main(directory: str, interactions: pd.DataFrame, items: pd.DataFrame | None) -> None:
    """Fit on everything, export, and ask the bundle."""
    data = recsys.Dataset.from_pandas(interactions, items=items)
    model = recsys.EASE(l2=300).fit(data)
    model.save(f"{directory}/run")  # what the commands open: python scripts/recommend.py run=DIR/run user=ID
    bundle = recsys.load_bundle(model.export(f"{directory}/bundle"))

    users, some = data.user_ids[:2], data.item_ids[:3]
    print(bundle.recommend(users, k=5, titles=True).to_string(index=False))
    print(bundle.recommend(histories=[some], k=5, titles=True).to_string(index=False))  # somebody new
    print(bundle.explain(users, k=1).to_string(index=False))
    print(bundle.similar(some, k=3).to_string(index=False))
    print("lists:", bundle.recommend_all(k=10, output=f"{directory}/lists.parquet"))


if __name__ == "__main__":
    main(sys.argv[1], *tables(sys.argv[2:]))
