"""Draws how far updated models fell behind those that were fitted anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recsys.cli.whole_files import whole_file
from recsys.runs.updating.update_record import DriftCheck

_BLUE, _RED, _GREY = "#1f4e79", "#b03a2e", "#777777"


def draw_drift(checks: Sequence[tuple[int, DriftCheck]], path: Path) -> None:
    """Draw the difference of each comparison with its interval, red where the refit was taken.

    Args:
        checks: the update of the lineage at which each was made, and what was found; at least one.
        path: where the PNG goes.
    """
    with rc_context({"font.size": 12}):
        figure = Figure(figsize=(6.2, 3.6), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for number, check in checks:
            below, above = check.difference - check.low, check.high - check.difference
            colour = _RED if check.takes_refit else _BLUE
            axes.errorbar(number, check.difference, [[below], [above]], fmt="o", capsize=4, color=colour)
        axes.axhline(0, color=_GREY, linewidth=1)
        numbers = [number for number, _ in checks]
        axes.plot(numbers, [check.tolerance for _, check in checks], linestyle="--", color=_GREY, label="tolerance")
        axes.set_title("Refit less update, on validation")
        axes.set_xlabel("update")
        axes.set_ylabel(checks[0][1].metric)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(x=0.2)
        axes.legend(fontsize="small")
        with whole_file(path) as partial:
            figure.savefig(partial, format="png")
