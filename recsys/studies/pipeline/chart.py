"""Chart of the cost of diversity: accuracy against diversity, divergence and coverage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from recsys.studies.comparison.chart import place_labels
from recsys.studies.pipeline.evaluation import Lists, PipelineReport


def draw(report: PipelineReport, path: Path) -> None:
    """Write the chart as PNG: a line for each re-ranker, a point for each diversity weight."""
    k = report.k
    panels: dict[str, Callable[[Lists], float | None]] = {
        f"diversity@{k}": lambda lists: lists.result.catalogue.get(f"diversity@{k}"),
        "divergence from the history, nats": lambda lists: lists.divergence,
        f"coverage@{k}, share of the catalogue": lambda lists: lists.result.catalogue[f"coverage@{k}"],
    }
    figure = Figure(figsize=(13, 4.6), layout="constrained", dpi=120)
    canvas = FigureCanvasAgg(figure)
    all_axes: list[Axes] = list(figure.subplots(1, len(panels), sharey=True))
    names = list(dict.fromkeys(name for name, _ in report.diversified))
    colours = dict(zip(names, (to_rgb(f"C{place}") for place in range(len(names))), strict=True))
    shown: list[list[_Point]] = []
    for axes, (label, measure) in zip(all_axes, panels.items(), strict=True):
        points = [
            _Point(name, diversity_weight, value, lists.result.means()[f"ndcg@{k}"])
            for name, diversity_weight in sorted(report.diversified)
            if (value := measure(lists := report.diversified[name, diversity_weight])) is not None
        ]
        for name in names:
            own = [point for point in points if point.name == name]
            axes.plot(
                [point.x for point in own], [point.y for point in own], "o-", ms=4, color=colours[name], label=name
            )
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
        axes.margins(x=0.12, y=0.1)
        shown.append(points)
    all_axes[0].set_ylabel(f"ndcg@{k}")
    lines, labels = all_axes[-1].get_legend_handles_labels()
    title = "labels: diversity weight"
    figure.legend(
        lines, labels, title=title, loc="outside upper center", ncols=len(names), fontsize=8, title_fontsize=8
    )
    canvas.draw()  # type: ignore[no-untyped-call]  # fixes the layout, which labels are then placed in
    figure.set_layout_engine("none")
    for axes, points in zip(all_axes, shown, strict=True):
        # All lines start at the same point, without diversity: one label is enough there.
        labelled = list({(point.x, point.y): point for point in points}.values())
        places = np.array([(point.x, point.y) for point in labelled]).reshape(-1, 2)
        texts = [f"{point.diversity_weight:g}" for point in labelled]
        shades = [colours[point.name] for point in labelled]
        place_labels(axes, texts, shades, places, np.stack([places[:, 1], places[:, 1]]))
    figure.savefig(path)


class _Point(NamedTuple):
    """One diversity weight of a re-ranker, in one panel."""

    name: str
    diversity_weight: float
    x: float
    y: float
