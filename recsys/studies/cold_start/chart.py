"""Chart of the accuracy for new users by the number of known interactions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from recsys.studies.cold_start.measured import Row

_TITLES = {"cold_users": "new users", "cold_both": "new users, some items new"}


def draw(rows: Sequence[Row], k: int, heading: str, path: Path) -> bool:
    """Write a PNG of NDCG@k by the number of fold-in interactions, with a panel for each protocol with new users.

    Args:
        rows: all rows; those of models that cannot take part are left out.
        k: cut-off.
        heading: title of the chart.
        path: path of the file, which is replaced.

    Returns:
        Whether a chart was written; False if no row has new users.
    """
    measure = f"ndcg@{k}"
    drawn = [row for row in rows if row.num_fold_in is not None and measure in row.estimates]
    panels = [name for name in _TITLES if any(row.protocol == name for row in drawn)]
    if not panels:
        return False
    models = list(dict.fromkeys(row.model for row in drawn))
    figure = Figure(figsize=(5.4 * len(panels), 4.4), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    figure.suptitle(heading)
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    colours = matplotlib.colormaps["tab10"](np.arange(len(models)) % 10)
    for axes, name in zip(all_axes, panels, strict=True):
        for model, colour in zip(models, colours, strict=True):
            line = [row for row in drawn if row.protocol == name and row.model == model]
            if not line:
                continue
            numbers = [row.num_fold_in for row in line]
            estimates = [row.estimates[measure] for row in line]
            axes.plot(numbers, [estimate.mean for estimate in estimates], "o-", color=colour, label=model)
            low, high = ([getattr(estimate, end) for estimate in estimates] for end in ("low", "high"))
            axes.fill_between(numbers, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_title(_TITLES[name])
        axes.set_xlabel("fold-in interactions")
        axes.set_xticks(sorted({row.num_fold_in for row in drawn if row.num_fold_in is not None}))
        axes.grid(alpha=0.3)
    all_axes[0].set_ylabel(f"NDCG@{k}")
    all_axes[0].set_ylim(bottom=0)
    all_axes[0].legend()
    figure.savefig(path)
    return True
