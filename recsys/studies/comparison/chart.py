"""Chart of a comparison: accuracy against coverage, novelty and fit time."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
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

#: Possible places of a label beside its point: directions, and distances in pixels.
_DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
_DISTANCES = (9, 16, 26, 40, 60, 85, 115, 150)


def draw(comparison: Comparison, path: Path) -> None:
    """Write the chart as PNG; panels whose metric a run lacks are left out."""
    labels = [run.label for run in comparison.runs]
    estimates = [comparison.accuracy[label][comparison.metric] for label in labels]
    k = comparison.settings.k
    panels = {
        f"{name}@{k}{unit}": [comparison.beyond[label][name] for label in labels]
        for name, unit in (("coverage", ", share of the catalogue"), ("novelty", ", bits"))
        if all(name in comparison.beyond[label] for label in labels)
    }
    time = "fitting, seconds"
    panels[time] = [max(run.manifest.fit_seconds, SHORTEST_SECONDS) for run in comparison.runs]
    heights = np.array([estimate.mean for estimate in estimates])
    ends = np.array([estimate.interval for estimate in estimates]).T
    errors = np.abs(ends - heights)

    colours = _colours(len(labels))

    figure = Figure(figsize=(5 * len(panels), 5.2), layout="constrained", dpi=120)
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(f"{comparison.metric} on {comparison.runs[0].manifest.data_name}, with intervals over users")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(all_axes, panels.items(), strict=True):
        if name == time:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            if min(values) == max(values):  # a logarithmic axis would have no width
                axes.set_xlim(values[0] / 10, values[0] * 10)
        for value, height, error, colour in zip(values, heights, errors.T, colours, strict=True):
            axes.errorbar(
                [value], [height], error[:, None], fmt="o", ms=6, color=colour, ecolor=(*colour, 0.35), elinewidth=1.2
            )
        axes.set_xlabel(name)
        axes.grid(alpha=0.3)
        axes.margins(x=0.22, y=0.1)
    all_axes[0].set_ylabel(comparison.metric)
    canvas.draw()  # type: ignore[no-untyped-call]  # fixes the layout, which labels are then placed in
    figure.set_layout_engine("none")
    for axes, values in zip(all_axes, panels.values(), strict=True):
        place_labels(axes, labels, colours, np.column_stack([values, heights]), ends)
    figure.savefig(path)


def place_labels(
    axes: Axes, labels: Sequence[str], colours: Sequence[Colour], points: FloatArray, ends: FloatArray
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
        text = axes.annotate(labels[place], points[place], xytext=(0, 0), textcoords="offset pixels", fontsize=8)
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
