import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def measured(*arguments: str) -> dict:
    command = [sys.executable, "benchmarks/linear_scale.py", *arguments, "--threads", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_item_knn_is_fitted():
    report = measured("item_knn", "--size", "300", "120", "4000")
    assert report["model"] == "item_knn" and report["peak_gib"] >= report["data_gib"] > 0
    assert 120 * 50 < report["neighbours"] <= 120 * 100


def test_a_part_of_the_items_is_said_to_be_one():
    report = measured("item_knn", "--size", "2000", "1500", "9000", "--share", "0.5")
    assert 0 < report["neighbours"] <= 0.7 * 1500 * 100
    assert report["whole_seconds"] >= report["processor_seconds"]


def test_ease_is_compared_with_double_precision():
    report = measured("ease", "--size", "300", "120", "4000", "--columns", "5")
    assert 0 < report["largest_error"] < 1e-5 < report["largest_weight"]
    assert 0 < report["relative_error"] < 1e-4
    with pytest.raises(AssertionError, match="invalid choice"):
        measured("mf")
