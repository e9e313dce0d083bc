import json
import subprocess
import sys

import pytest

from recsys.errors import RunError
from recsys.training.reports.fit_report import FitReport, read_report


def test_a_report_is_read_back(tmp_path):
    path = tmp_path / "fit.json"
    path.write_text(json.dumps({"epochs": [{"epoch": 1, "train/loss": 0.5}], "best_epoch": 1, "best_value": None}))
    assert read_report(path) == FitReport([{"epoch": 1, "train/loss": 0.5}], 1, None)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"epochs": []}'])
def test_a_damaged_one_is_told(tmp_path, text):
    path = tmp_path / "fit.json"
    path.write_text(text)
    with pytest.raises(RunError, match=r"fit.json is damaged .* goes on from last.ckpt"):
        read_report(path)


def test_what_fits_at_once_is_fitted_without_lightning():
    program = "import sys, recsys.runs.model_fitting; print('pytorch_lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"
