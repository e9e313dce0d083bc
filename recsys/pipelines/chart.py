"""Draws what diversity costs: accuracy against diversity, divergence and coverage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from recsys.pipelines.evaluation import Lists, PipelineReport


def draw(report: PipelineReport, path: Path) -> None:
    """Write the picture as PNG: a line for each re-ranker, a point for each strength."""
    k = report.k
    panels: dict[str, Callable[[Lists], float | None]] = {
        f"diversity@{k}": lambda lists: lists.result.catalogue.get(f"diversity@{k}"),
        "divergence from the history, nats": lambda lists: lists.divergence,
        f"coverage@{k}, share of the catalogue": lambda lists: lists.result.catalogue[f"coverage@{k}"],
    }
    figure = Figure(figsize=(13, 4.4), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    all_axes: list[Axes] = list(figure.subplots(1, len(panels), sharey=True))
    for axes, (label, measure) in zip(all_axes, panels.items(), strict=True):
        for place, name in enumerate(dict.fromkeys(name for name, _ in report.diversified)):
            steps = [(key[1], report.diversified[key]) for key in sorted(report.diversified) if key[0] == name]
            points = [
                (strength, value, lists.result.means()[f"ndcg@{k}"])
                for strength, lists in steps
                if (value := measure(lists)) is not None
            ]
            colour = f"C{place}"
            axes.plot([x for _, x, _ in points], [y for *_, y in points], marker="o", ms=4, color=colour, label=name)
            # Lines begin at one point: the labels of one stand above it, those of the other below.
            offset = (4, 4) if place % 2 == 0 else (-6, -11)
            for strength, x, y in points:
                axes.annotate(
                    f"{strength:g}", (x, y), xytext=offset, textcoords="offset points", fontsize=7, color=colour
                )
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    all_axes[0].set_ylabel(f"ndcg@{k}")
    all_axes[0].legend(title="strength beside each point", fontsize=8, title_fontsize=8)
    figure.savefig(path)
