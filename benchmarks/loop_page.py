"""The tables and the picture of what the loops of ``benchmarks/retraining_loop.py`` have shown.

Shape suffixes: T tastes, D days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from results_file import write_results

FloatArray = npt.NDArray[np.float64]

#: Colours that those who do not see red and green tell apart, by model; the loop without retraining is grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_GREY = "#555555"

#: The numbers of a decision's reason.
_SEEN = re.compile(r"challenger is (\S+), of the live model (\S+); the difference is (.+?) over (\S+) users")


def write_tables(days: Sequence[Any], command: str, machine: str, output: Path | None) -> None:
    """Write the tables and, beside them, the picture.

    Args:
        days: of all loops, with the fields of ``Day``.
        command: that made them.
        machine: it ran on.
        output: Markdown file; None: they are printed.
    """
    text = "\n".join([f"`{command}`, {machine}.", "", *_summary(days), "", *_decisions(days)]) + "\n"
    if output is None:
        print(text)
        return
    write_results(text, output)
    draw(days, output.with_suffix(".svg"))


def draw(days: Sequence[Any], path: Path) -> None:
    """Draw true utility by day, a panel for who decides: the rule, or nobody."""
    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    rules = [rule for rule in ("always", "rule") if any(one.rule == rule for one in days)]
    models = list(dict.fromkeys(one.model for one in days if one.rule != "never"))
    titles = {"always": "always promoted", "rule": "promoted by the rule"}
    panels = figure.subplots(1, len(rules), sharey=True, squeeze=False)[0]
    for panel, rule in zip(panels, rules, strict=True):
        for model, colour in zip(models, _COLOURS, strict=False):
            _line(panel, _of(days, model, rule), colour, "o", _name(model))
        _line(panel, [one for one in days if one.rule == "never"], _GREY, "s", "no retraining", "--")
        random = np.mean([one.random for one in days])
        panel.axhline(random, color="black", linewidth=0.8, linestyle=":")
        last = max(one.day for one in days)
        panel.annotate("random lists", (last, random), (0, -11), textcoords="offset points", fontsize=9, ha="right")
        panel.set_title(titles[rule], fontsize=11)
        panel.set_xlabel("day")
        panel.set_xticks(sorted({one.day for one in days}))
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
    panels[0].set_ylabel("true utility of a list")
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, fontsize=9, loc="outside right upper")
    FigureCanvasSVG(figure)
    figure.savefig(path, metadata={"Date": None})


def _line(panel: Any, days: Sequence[Any], colour: str, marker: str, label: str, style: str = "-") -> None:
    """The mean over tastes, and each taste as a thin line."""
    utility_TD = _utilities(days)
    if utility_TD.size:
        x = np.arange(1, utility_TD.shape[1] + 1)
        panel.plot(x, utility_TD.mean(0), style, color=colour, marker=marker, markersize=5, label=label)
        for own_D in utility_TD:
            panel.plot(x, own_D, style, color=colour, linewidth=0.7, alpha=0.45)


def _summary(days: Sequence[Any]) -> list[str]:
    """Means over tastes, a row for each model and each who decides."""
    numbers = sorted({one.day for one in days})
    lines = [
        f"| model | made live | {' | '.join(f'day {number}' for number in numbers)} | against no retraining | "
        "click rate, first and last day | promoted |",
        f"|---|---|{'---|' * (len(numbers) + 3)}",
    ]
    idle_TD = _utilities([one for one in days if one.rule == "never"])
    for model, rule in dict.fromkeys((one.model, one.rule) for one in days):
        own = _of(days, model, rule)
        utility_TD = _utilities(own)
        clicks = [np.mean([one.click_rate for one in own if one.day == day]) for day in (numbers[0], numbers[-1])]
        gain = "-"
        if rule != "never" and idle_TD.shape == utility_TD.shape:
            gains_T = utility_TD[:, 1:].mean(1) - idle_TD[:, 1:].mean(1)
            gain = f"{gains_T.mean():+.4f} ({', '.join(f'{one:+.3f}' for one in gains_T)})"
        asked = [one.promoted for one in own if one.promoted is not None]
        lines.append(
            f"| {'-' if rule == 'never' else _name(model)} | {rule} | "
            f"{' | '.join(f'{value:.4f}' for value in utility_TD.mean(0))} | {gain} | "
            f"{clicks[0]:.4f}, {clicks[1]:.4f} | {f'{sum(asked)} of {len(asked)}' if asked else '-'} |"
        )
    return lines


def _decisions(days: Sequence[Any]) -> list[str]:
    """What the rule has seen and said."""
    lines = [
        "| model | taste | after day | challenger | live | difference, 90 % interval | users | made live |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in days:
        if one.rule == "rule" and one.promoted is not None:
            seen = _SEEN.search(one.reason)
            told = " | ".join(seen.groups()) if seen else f"{one.reason} | | | "
            lines.append(
                f"| {_name(one.model)} | {one.taste} | {one.day} | {told} | {'yes' if one.promoted else 'no'} |"
            )
    return lines


def _of(days: Sequence[Any], model: str, rule: str) -> list[Any]:
    return [one for one in days if (one.model, one.rule) == (model, rule)]


def _utilities(days: Sequence[Any]) -> FloatArray:
    """True utility by taste and day, shape [T, D]."""
    tastes = sorted({one.taste for one in days})
    numbers = sorted({one.day for one in days})
    found = {(one.taste, one.day): one.utility for one in days}
    whole = [taste for taste in tastes if all((taste, number) in found for number in numbers)]
    return np.array([[found[taste, number] for number in numbers] for taste in whole])


def _name(model: str) -> str:
    return "live: iALS" if model == "live" else model.partition(" ")[0].removeprefix("model=")
