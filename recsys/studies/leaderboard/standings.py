"""Who is better than whom: the places that tests over users can tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.comparison.comparing import Comparison


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a model among the others.

    Args:
        label: of its run.
        worse_than: labels of the models that are significantly better.
        better_than: labels of the models that are significantly worse.
        count: number of models.
    """

    label: str
    worse_than: tuple[str, ...]
    better_than: tuple[str, ...]
    count: int

    @property
    def text(self) -> str:
        """Such as ``2-4``: from the place behind all that are better to that before all that are worse."""
        first, last = len(self.worse_than) + 1, self.count - len(self.better_than)
        return str(first) if first == last else f"{first}-{last}"


def places(comparison: Comparison) -> list[Place]:
    """The places of all models, the highest mean first.

    All pairs are tested; the p-values are corrected for their number.
    """
    means = {label: estimates[comparison.metric].mean for label, estimates in comparison.accuracy.items()}
    ranked = sorted(means, key=lambda label: -means[label])
    better: dict[str, list[str]] = {label: [] for label in ranked}
    worse: dict[str, list[str]] = {label: [] for label in ranked}
    # Of two runs there is one pair, which is the one with the baseline.
    for pair in comparison.pairs or comparison.against_baseline:
        if pair.significant:
            winner, loser = (pair.first, pair.second) if pair.difference.mean > 0 else (pair.second, pair.first)
            better[winner].append(loser)
            worse[loser].append(winner)
    return [Place(label, tuple(worse[label]), tuple(better[label]), len(ranked)) for label in ranked]


def verdict(comparison: Comparison) -> str:
    """One or two sentences: the first model, what it is better than, and what it cannot be told apart from."""
    first, *others = places(comparison)
    if len(first.better_than) == len(others):
        return f"{first.label} is best: significantly better than every other model."
    tied = [place.label for place in others if place.label not in first.better_than]
    said = f"{first.label} is first by its mean, but these users cannot tell it from {', '.join(tied)}."
    if first.better_than:
        said += f" It is significantly better than the other {len(first.better_than)}."
    return said


def pairs_matrix(comparison: Comparison) -> ResultTable:
    """A row and a column for each model: ``>`` where the row is significantly better, ``<`` where it is worse."""
    ranked = places(comparison)
    rows = []
    for number, place in enumerate(ranked, start=1):
        cells = []
        for other in ranked:
            sign = "." if other.label == place.label else ">" if other.label in place.better_than else "<"
            cells.append(Cell("=" if sign == "<" and other.label not in place.worse_than else sign))
        rows.append([Cell(f"{number} {place.label}"), *cells])
    note = (
        f"{comparison.metric} of the model of the row against that of the column: > significantly better, < worse, "
        f"= not told apart. Paired tests over users, {len(comparison.pairs) or 1} pairs, corrected p below "
        f"{comparison.settings.alpha:g}."
    )
    columns = ["model", *(str(number) for number in range(1, len(ranked) + 1))]
    return ResultTable("Which is better than which", columns, rows, note)
