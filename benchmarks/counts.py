"""Prints what training and evaluation cost in counts, a line of JSON each: bytes, operators, waits, traffic.

    python benchmarks/counts.py                       # all of them
    python benchmarks/counts.py mf/bytes_per_step     # some

Counts are the same on every machine and in every run, unlike times; ``tests/benchmarks/test_counts.py`` holds each of
them to its bound.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from counted import bundle_histories, evaluation, linear, training_memory, two_tower
from counted.ranks import bytes_given_per_step
from counted.training_steps import bytes_per_step

#: What each count measures: a name as PART/COUNT, and the function that counts it.
COUNTS: dict[str, Callable[[], float]] = {
    "bundle/history_bytes_per_interaction": bundle_histories.history_bytes_per_interaction,
    "evaluation/batches": evaluation.batches,
    "evaluation/fold_in_syncs_per_batch": evaluation.fold_in_synchronisations_per_batch,
    "evaluation/kernels_per_batch": evaluation.kernels_per_batch,
    "evaluation/syncs_per_batch": evaluation.synchronisations_per_batch,
    "mf/bytes_per_step": lambda: bytes_per_step("mf"),
    "neumf/bytes_per_step": lambda: bytes_per_step("neumf"),
    "mf/bytes_given_per_step": lambda: bytes_given_per_step("mf"),
    "neumf/bytes_given_per_step": lambda: bytes_given_per_step("neumf"),
    "item_knn/rewrites_of_matrix": linear.rewrites_of_item_knn,
    "ease/matrices_at_peak": linear.matrices_of_ease,
    "ials/syncs_per_iteration": linear.waits_of_ials,
    "train/bytes_per_interaction": training_memory.bytes_per_interaction,
    "train/device_bytes_per_interaction": training_memory.device_bytes_per_interaction,
    "two_tower/bytes_per_step": two_tower.bytes_per_step,
    "two_tower/kernels_per_step": two_tower.kernels_per_step,
    "two_tower/syncs_per_step": two_tower.synchronisations_per_step,
}


def main() -> None:
    """Print the counts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COUNTS)}; without names all")
    names = parser.parse_args().names or list(COUNTS)
    if unknown := [name for name in names if name not in COUNTS]:
        parser.error(f"{', '.join(unknown)} is not counted; choose among {', '.join(COUNTS)}")
    for name in names:
        print(json.dumps({"name": name, "value": COUNTS[name]()}), flush=True)


if __name__ == "__main__":
    main()
