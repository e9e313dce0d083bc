"""Finished run directories with numbers of the test's choosing; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from omegaconf import OmegaConf

from recsys.runs.run_directory import RunDirectory
from recsys.runs.run_manifest import RunManifest

MANIFEST = RunManifest(
    format_version=1,
    created="2026-01-31T12:00:00",
    data_name="toy",
    data_directory="data/prepared/toy",
    data_hash="a" * 64,
    split_hash="b" * 64,
    num_users=60,
    num_items=40,
    best_epoch=0,
    fit_seconds=0.25,
    versions={"python": "3.11"},
)


def table(ndcg: Sequence[float], users: Sequence[str] | None = None) -> pa.Table:
    """Values of each user, a third of whom are in each segment of activity; others are fractions of ``ndcg``."""
    values = np.asarray(ndcg, dtype=np.float64)
    return pa.table(
        {
            "user_id": users or [f"u{place:03}" for place in range(len(values))],
            "user_activity": [("low", "mid", "high")[place % 3] for place in range(len(values))],
            "precision@10": values / 4,
            "recall@10": values / 2,
            "ndcg@10": values,
            "ndcg@5": values / 8,
            "item_popularity=head/recall@10": values / 2,
            "item_popularity=mid/recall@10": pa.array([None, *values[1:]], pa.float64()),
            "item_popularity=tail/recall@10": pa.array([None] * len(values), pa.float64()),
        }
    )


def make_run(
    parent: Path,
    name: str,
    per_user: pa.Table | None,
    config: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    **manifest: Any,
) -> Path:
    """A finished run; ``manifest`` changes fields of :data:`MANIFEST`."""
    run = RunDirectory.create(parent, name)
    OmegaConf.save(OmegaConf.create({"name": f"{name}_toy", **(config or {})}), run.config_path)
    if per_user is not None:
        run.save_per_user(per_user)
    found = {"test/coverage@10": 0.5, "test/gini@10": 0.25, "test/novelty@10": 2.0} if metrics is None else metrics
    run.finish(found, replace(MANIFEST, **manifest))
    return run.path
