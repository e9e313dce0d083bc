"""What a look at a rollout costs, by the number of its units: the query, and the decision.

::

    python benchmarks/rollout_look.py --units 10000 100000 --output benchmarks/results/rollout_look.md

Each unit of an experiment of two variants has two lists of ten items in an embedded PostgreSQL, and clicks in every
fifth of them. A look reads what came of all of them, a row for each unit, and checks the guardrails and the sample
ratio, as the service does every minute of a rollout.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recsys_serving.experimenting.analysed_units import windows_of
from recsys_serving.experimenting.experiment_changes import ExperimentChanges, experiment_of
from recsys_serving.experimenting.experiment_rollout import begin_rollout
from recsys_serving.experimenting.rollout_evidence import gather_evidence
from recsys_serving.local.embedded_postgres import start_postgres, stop_postgres
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.partitions import Partitions
from recsys_serving.store.store import Store
from results_file import write_results
from sqlalchemy import text

from recsys.experiments.rollout import RolloutPlan
from recsys.studies.benchmark.hardware import hardware_summary

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests show to users

from tests.serving.experimenting.shown_lists import CLICKERS  # noqa: E402

START = datetime(2026, 11, 1, tzinfo=UTC)
_LISTS = """
INSERT INTO exposures (recommendation_id, user_id, shown_at, item_ids, bundle, model_version, variant, experiment_id,
    context)
SELECT gen_random_uuid(), 'user-' || n, CAST(:start AS timestamptz) + make_interval(secs => n % 600 + 60 * again),
    ARRAY(SELECT 'item-' || (n * 7 + place) % 2000 FROM generate_series(1, 10) place), 'bundle', '1',
    CASE n % 2 WHEN 0 THEN 'control' ELSE 'new' END, :name, '{}'
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n, generate_series(0, 1) again
"""
_CLICKS = """
INSERT INTO interactions (event_id, user_id, item_id, type, occurred_at, recommendation_id)
SELECT 'click-' || recommendation_id, user_id, item_ids[1], 'click', shown_at + interval '20 seconds', recommendation_id
FROM exposures WHERE right(user_id, 1) IN ('0', '5')
"""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = start_postgres(Path(directory) / "postgres")
        try:
            migrate(url)
            rows = _measured(url, sorted(options.units), options.repeats)
        finally:
            stop_postgres(Path(directory) / "postgres")
    lines = [
        f"`python benchmarks/rollout_look.py --units {' '.join(map(str, options.units))}`, {hardware_summary()}.",
        "",
        "| units | lists | query, s | whole look, s | most memory of the process, MiB |",
        "|---|---|---|---|---|",
        *rows,
    ]
    write_results("\n".join(lines) + "\n", options.output)
    print("\n".join(lines))


def _measured(url: str, units: list[int], repeats: int) -> list[str]:
    """A row of the table for each number of units, the fewest first."""
    database = Database(url)
    store = Store(database)
    changes = ExperimentChanges(store)
    changes.create("one", "One", {**CLICKERS, "salt": "rollout"}, "key")
    experiment = experiment_of(changes.start("one", "key"))
    rollout = begin_rollout(experiment, RolloutPlan(), START.timestamp())
    now = START + timedelta(hours=3)
    for table in ("exposures", "interactions"):
        Partitions(database, table).ensure([START])
    rows, before = [], 0
    for number in units:
        with database.transaction(300) as connection:
            connection.execute(text(_LISTS), {"start": START, "name": "one", "first": before + 1, "last": number})
            connection.execute(text("DELETE FROM interactions"))
            connection.execute(text(_CLICKS))
        before = number
        query = _seconds(lambda: store.outcomes.units("one", windows_of(experiment), experiment.unit), repeats)
        whole = _seconds(lambda: gather_evidence(store.outcomes, experiment, rollout, now), repeats)
        evidence = gather_evidence(store.outcomes, experiment, rollout, now)
        assert evidence.units == number // 2, "all units of treatment are final"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append(f"| {number:,} | {2 * number:,} | {query:.2f} | {whole:.2f} | {memory:.0f} |")
    store.close()
    return rows


def _seconds(call: Callable[[], object], repeats: int) -> float:
    """Median seconds of a call."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
