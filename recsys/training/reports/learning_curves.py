"""Learning curves: the training loss, the monitored metric with its best epoch, and what else was measured."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

#: Points; letters can still be read where the picture is shown at half its size.
_FONT_SIZE = 12

#: Inches of a panel with what stands around it, of the margins of the picture, and between two panels.
_PANEL_WIDTH, _HEIGHT = 5.2, 4.6
_LEFT, _RIGHT, _BOTTOM, _TOP, _BETWEEN = 0.8, 0.2, 0.65, 0.85, 0.85

_BLUE, _RED = "#1f4e79", "#b03a2e"

#: With more epochs than this, lines have no marks for each.
_MOST_MARKS = 30


def draw_curves(
    epochs: list[dict[str, float]], path: Path, title: str, monitor: str = "", best_epoch: int | None = None
) -> None:
    """Draw the metrics by epoch, each kind in a panel of its own.

    Args:
        epochs: rows of :attr:`recsys.training.reports.epoch_history.EpochHistory.epochs`, at least one.
        path: where the PNG goes, whatever its name ends with.
        title: heading of the picture.
        monitor: the metric that decided; its panel is left out where it was not measured.
        best_epoch: the epoch whose weights were kept; None or one that is not there marks none.
    """
    table = pd.DataFrame(epochs).set_index("epoch")
    others = [name for name in table.columns if name.startswith("valid/") and name != monitor]
    panels = ["train/loss", *([monitor] if monitor in table.columns else []), *(["others"] if others else [])]
    with rc_context({"font.size": _FONT_SIZE, "axes.titlesize": _FONT_SIZE + 1}):
        figure = Figure(figsize=(_PANEL_WIDTH * len(panels), _HEIGHT), dpi=110)
        _lay_out(figure, len(panels))
        FigureCanvasAgg(figure)
        figure.suptitle(title)
        for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
            if panel == "train/loss":
                _draw(axes, table[["train/loss"]], "Training loss", colour=_BLUE)
            elif panel == monitor:
                _draw(axes, table[[monitor]], f"{monitor}, which decides", colour=_BLUE)
                _mark(axes, table[monitor], best_epoch)
            else:
                _draw(axes, table[others], "Also measured on validation")
                axes.legend(fontsize="small")
            axes.set_xlabel("epoch")
        figure.savefig(path, format="png")


def _lay_out(figure: Figure, panels: int) -> None:
    """Fix the margins: to measure what stands in them takes as long as to draw it, and it is always the same."""
    width = _PANEL_WIDTH * panels
    inner = (width - _LEFT - _RIGHT - _BETWEEN * (panels - 1)) / panels
    figure.subplots_adjust(
        left=_LEFT / width,
        right=1 - _RIGHT / width,
        bottom=_BOTTOM / _HEIGHT,
        top=1 - _TOP / _HEIGHT,
        wspace=_BETWEEN / inner,
    )


def _draw(axes: Axes, table: pd.DataFrame, title: str, colour: str | None = None) -> None:
    """A line for each column."""
    mark = "o" if len(table) <= _MOST_MARKS else ""
    for name in table.columns:
        label = str(name).removeprefix("valid/")
        axes.plot(table.index, table[name], marker=mark, markersize=4, color=colour, label=label)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.margins(y=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _mark(axes: Axes, values: pd.Series[float], best_epoch: int | None) -> None:
    """A ring around the best epoch, and its value."""
    if best_epoch is None or best_epoch not in values.index:
        return
    value = float(values.loc[best_epoch])
    axes.axvline(best_epoch, color=_RED, linewidth=1, alpha=0.5, linestyle="--")
    axes.plot([best_epoch], [value], "o", ms=12, mfc="none", mec=_RED, mew=2)
    right = best_epoch > (values.index.min() + values.index.max()) / 2
    axes.annotate(
        f"epoch {best_epoch}: {value:.4f}",
        (best_epoch, value),
        xytext=(-10 if right else 10, 14),
        textcoords="offset points",
        horizontalalignment="right" if right else "left",
        color=_RED,
    )
