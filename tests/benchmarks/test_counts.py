"""Each count of ``benchmarks/counts.py`` stays within its bound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from counts import COUNTS

ROOT = Path(__file__).parents[2]

#: The most that each may be.
BOUNDS: dict[str, float] = {
    "bundle/history_bytes_per_interaction": 0.1,
    "evaluation/batches": 7,
    "evaluation/fold_in_syncs_per_batch": 1,
    "evaluation/kernels_per_batch": 60,
    "evaluation/syncs_per_batch": 1,
    "mf/bytes_per_step": 55e6,
    "mf/bytes_given_per_step": 1.8e6,
    "neumf/bytes_given_per_step": 3.4e6,
    "neumf/bytes_per_step": 98e6,
    "item_knn/rewrites_of_matrix": 4,
    "ease/matrices_at_peak": 1.3,
    "ials/syncs_per_iteration": 2,
    "train/bytes_per_interaction": 28,
    "train/device_bytes_per_interaction": 16,
    "two_tower/bytes_per_step": 143e6,
    "two_tower/kernels_per_step": 213,
    "two_tower/syncs_per_step": 0,
}


def test_every_count_has_a_bound():
    assert BOUNDS.keys() == COUNTS.keys()


@pytest.mark.parametrize("name", BOUNDS)
def test_it_is_within_its_bound(name):
    assert COUNTS[name]() <= BOUNDS[name]


def test_the_command_names_what_can_be_counted():
    done = subprocess.run(
        [sys.executable, "benchmarks/counts.py", "mf/nothing"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "mf/bytes_per_step" in done.stderr


def test_the_command_prints_a_line_of_json():
    done = subprocess.run(
        [sys.executable, "benchmarks/counts.py", "mf/bytes_per_step"], cwd=ROOT, capture_output=True, text=True
    )
    assert json.loads(done.stdout)["name"] == "mf/bytes_per_step", done.stderr
