"""The results of a simulated elicitation as one table."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.evaluation.statistics.paired_tests import paired_difference, permutation_test
from recsys.evaluation.statistics.significance import bootstrap_intervals
from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.elicitation.simulation import Simulated


def elicitation_table(results: Sequence[Simulated], compared_with: str, k: int) -> ResultTable:
    """One row for each number of questions and way of asking.

    Args:
        results: what was simulated, all for the same users.
        compared_with: the way of asking that the others are compared with.
        k: cut-off of NDCG.
    """
    rows = []
    for number in sorted({result.num_questions for result in results}):
        inside = [result for result in results if result.num_questions == number]
        best = max(result.values.mean() for result in inside)
        base = next((result for result in inside if result.strategy == compared_with), None)
        for result in inside:
            low, high = bootstrap_intervals(result.values[:, None])[0]
            mean = float(result.values.mean())
            cells = [
                Cell(result.strategy),
                Cell(str(number)),
                Cell(f"{result.num_known:.1f}"),
                Cell(_number(mean), f"[{_number(low)}, {_number(high)}]", bold=mean == best and len(inside) > 1),
            ]
            if base is None or result is base:
                rows.append([*cells, Cell("-"), Cell("-")])
                continue
            difference = paired_difference(result.values, base.values, permutation_test)
            interval = f"[{difference.interval.low:+.4f}, {difference.interval.high:+.4f}]"
            rows.append([*cells, Cell(f"{difference.mean:+.4f}", interval), Cell(f"{difference.p_value:.4f}")])
    columns = ["asked for", "items", "known", f"NDCG@{k}", f"beside {compared_with}", "p"]
    note = (
        f"Means over {len(results[0].values):,} held-out users with 95 % bootstrap intervals, all for the same targets "
        "and candidates. known: how many of the items a user knew. p: paired permutation test (10,000 sign flips), not "
        "corrected for the number of tests."
    )
    return ResultTable("Preference elicitation", columns, rows, note, num_names=2)


def _number(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")
