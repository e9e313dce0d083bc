"""Chart of a comparison: the ranking with intervals, and accuracy against coverage, novelty and fit time."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from recsys.evaluation.means import FloatArray
from recsys.studies.comparison.comparing import Comparison

#: Red, green, blue, each in [0, 1].
Colour = tuple[float, float, float]

#: Shortest time that is drawn, in seconds, since a logarithmic axis has no zero.
SHORTEST_SECONDS = 0.01

#: Points; letters can still be read where the picture is shown at half its size.
_FONT_SIZE = 13

#: Possible places of a label beside its point: directions, and distances in pixels.
_DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
_DISTANCES = (9, 16, 26, 40, 60, 85, 115, 150)


def draw(comparison: Comparison, path: Path) -> None:
    """Write the chart as PNG: the ranking with its intervals, and below it accuracy against what it goes with.

    In the lower panels a run is the number of its rank. Panels whose metric a run lacks are left out.
    """
    ranked = sorted(comparison.runs, key=lambda run: -comparison.accuracy[run.label][comparison.metric].mean)
    labels = [run.label for run in ranked]
    estimates = [comparison.accuracy[label][comparison.metric] for label in labels]
    means = np.array([estimate.mean for estimate in estimates])
    ends = np.array([estimate.interval for estimate in estimates]).T
    colours = _colours(len(labels))
    panels = _panels(comparison, labels)

    heights = (1.3 + 0.36 * len(labels), 4.6)
    with rc_context({"font.size": _FONT_SIZE, "axes.titlesize": _FONT_SIZE + 1}):
        figure = Figure(figsize=(13, sum(heights) + 0.4), layout="constrained", dpi=110)
        canvas = FigureCanvasAgg(figure)
        parts: Any = figure.subfigures(2, 1, height_ratios=heights)
        upper, lower = parts
        _draw_ranking(upper.subplots(), comparison, labels, means, ends, colours)
        all_axes = lower.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (title, panel) in zip(all_axes, panels.items(), strict=True):
            _draw_panel(axes, title, panel, means, ends, colours)
        all_axes[0].set_ylabel(comparison.metric)
        canvas.draw()  # type: ignore[no-untyped-call]  # fixes the layout, which labels are then placed in
        figure.set_layout_engine("none")
        numbers = [str(number) for number in range(1, len(labels) + 1)]
        for axes, panel in zip(all_axes, panels.values(), strict=True):
            place_labels(axes, numbers, colours, np.column_stack([panel.values, means]), ends)
        figure.savefig(path)


@dataclass(frozen=True, slots=True)
class _Panel:
    """What accuracy is shown against.

    Args:
        axis: name of the axis with its unit.
        values: of each run.
        logarithmic: whether the axis is.
    """

    axis: str
    values: list[float]
    logarithmic: bool = False


def _panels(comparison: Comparison, labels: Sequence[str]) -> dict[str, _Panel]:
    """The lower panels by their titles."""
    k = comparison.settings.k
    fits = {run.label: run.manifest.fit_seconds for run in comparison.runs}
    panels = {
        title: _Panel(f"{name}@{k}, {unit}", [comparison.beyond[label][name] for label in labels])
        for title, name, unit in (
            ("Share of the catalogue shown", "coverage", "share of the items"),
            ("How little known the items are", "novelty", "bits"),
        )
        if all(name in comparison.beyond[label] for label in labels)
    }
    times = [max(fits[label], SHORTEST_SECONDS) for label in labels]
    return {**panels, "Time of fitting": _Panel("seconds", times, logarithmic=True)}


def _draw_ranking(
    axes: Axes,
    comparison: Comparison,
    labels: Sequence[str],
    means: FloatArray,
    ends: FloatArray,
    colours: Sequence[Colour],
) -> None:
    """One row for each run, the best on top; its mean is written beside its interval."""
    manifest = comparison.runs[0].manifest
    rows = range(len(labels))
    for row, mean, (low, high), colour in zip(rows, means, ends.T, colours, strict=True):
        axes.plot([low, high], [row, row], color=colour, linewidth=3, alpha=0.45, solid_capstyle="round")
        axes.plot([mean], [row], "o", markersize=8, color=colour)
        axes.annotate(
            f"{mean:.4f}".replace("0.", ".", 1), (high, row), xytext=(8, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(list(rows), [f"{row + 1}  {label}" for row, label in zip(rows, labels, strict=True)])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    confidence = f"{100 * (1 - comparison.settings.alpha):g}"
    axes.set_title(f"{comparison.metric} on {manifest.data_name}: mean over users, {confidence} % intervals")
    axes.grid(axis="x", alpha=0.3)
    axes.margins(x=0.1)


def _draw_panel(
    axes: Axes, title: str, panel: _Panel, means: FloatArray, ends: FloatArray, colours: Sequence[Colour]
) -> None:
    """A point with its interval for each run."""
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if min(panel.values) == max(panel.values):  # a logarithmic axis would have no width
            axes.set_xlim(panel.values[0] / 10, panel.values[0] * 10)
    for value, mean, (low, high), colour in zip(panel.values, means, ends.T, colours, strict=True):
        axes.plot([value, value], [low, high], color=(*colour, 0.35), linewidth=1.5)
        axes.plot([value], [mean], "o", markersize=7, color=colour)
    axes.set_title(title)
    axes.set_xlabel(panel.axis)
    axes.grid(alpha=0.3)
    axes.margins(x=0.18, y=0.1)


def place_labels(
    axes: Axes,
    labels: Sequence[str],
    colours: Sequence[Colour],
    points: FloatArray,
    ends: FloatArray,
    font_size: float = _FONT_SIZE,
) -> None:
    """Put a label beside each point so that none covers another label, a point, an interval or the edge of the panel.

    Places are tried from near to far. A label far from its point is connected to it with a thin line. If no place is
    free, the one that covers least is taken.

    Args:
        axes: a panel whose limits and layout are final.
        labels: N texts.
        colours: colour of each point and its label.
        points: in the panel's data coordinates, shape [N, 2].
        ends: lower and upper end of each point's interval, shape [2, N].
        font_size: of the labels, in points.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    pixels = axes.transData.transform(points)
    taken = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in pixels]
    for end in ends:
        tips = axes.transData.transform(np.column_stack([points[:, 0], end]))
        taken += [
            Bbox.from_extents(x - 1, min(y, tip), x + 1, max(y, tip))
            for (x, y), (_, tip) in zip(pixels, tips, strict=True)
        ]
    panel = axes.get_window_extent(renderer)
    # From the top down, which is the order of reading.
    for place in np.argsort(-pixels[:, 1], kind="stable"):
        x, y = pixels[place]
        text = axes.annotate(
            labels[place], points[place], xytext=(0, 0), textcoords="offset pixels", fontsize=_FONT_SIZE
        )
        text.set(horizontalalignment="center", verticalalignment="center", color=colours[place])
        extent = text.get_window_extent(renderer)
        width, height = extent.width + 4, extent.height + 2
        best: tuple[float, float, float, Bbox] | None = None
        for distance in _DISTANCES:
            for right, up in _DIRECTIONS:
                dx, dy = right * (distance + width / 2), up * (distance + height / 2)
                if right and up:
                    dx, dy = right * (distance * 0.7 + width / 2), up * (distance * 0.7 + height / 2)
                box = Bbox.from_bounds(x + dx - width / 2, y + dy - height / 2, width, height)
                covered = sum(_overlap(box, other) for other in taken) + width * height - _overlap(box, panel)
                if best is None or covered < best[0] - 1e-6:
                    best = (covered, dx, dy, box)
            if best is not None and best[0] <= 1e-6:
                break
        assert best is not None, "there is at least one place"
        _, dx, dy, box = best
        taken.append(box)
        text.set_position((dx, dy))
        if max(abs(dx) - width / 2, abs(dy) - height / 2) > _DISTANCES[0]:
            nearest = np.clip([x, y], [box.x0, box.y0], [box.x1, box.y1])
            line = axes.transData.inverted().transform([[x, y], nearest])
            axes.plot(line[:, 0], line[:, 1], color=colours[place], linewidth=0.6, zorder=1, scalex=False, scaley=False)


def _colours(count: int) -> list[Colour]:
    """``count`` different colours, dark enough for text on white."""
    return [colorsys.hls_to_rgb((0.58 + place * 0.618) % 1.0, 0.36, 0.75) for place in range(count)]


def _overlap(first: Bbox, second: Bbox) -> float:
    """Area of the overlap in square pixels."""
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    return max(0.0, width) * max(0.0, height)
