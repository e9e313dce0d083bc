"""Times RecBole; runs in an environment of its own (see ``recbole_speed.py``), without recsys.

Called by ``recbole_speed.py``: reads a JSON request from standard input, writes the times as the last line of output.
"""

from __future__ import annotations

import json
import logging
import re
import sys

import torch

_load = torch.load
torch.load = lambda *args, **kwargs: _load(*args, **{**kwargs, "weights_only": False})

from recbole.quick_start import run_recbole  # noqa: E402

TRAINING = re.compile(r"training.*?time: ([\d.]+)s")
EVALUATING = re.compile(r"evaluating.*?time: ([\d.]+)s")


class Times(logging.Handler):
    """Collects the seconds that RecBole logs."""

    def __init__(self) -> None:
        super().__init__()
        self.training: list[float] = []
        self.evaluating: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Read one log record."""
        text = re.sub(r"\x1b\[[\d;]*m", "", record.getMessage())
        for pattern, times in ((TRAINING, self.training), (EVALUATING, self.evaluating)):
            times.extend(float(value) for value in pattern.findall(text))


def main() -> None:
    """Train and evaluate as the request says."""
    request = json.load(sys.stdin)
    torch.set_num_threads(request["threads"])
    times = Times()
    # RecBole sets up logging only where nobody has yet, so its level is set here as well.
    logging.basicConfig(level=logging.INFO, handlers=[times])
    split = {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "order": "RO", "mode": "full"}
    result = run_recbole(
        model=request["model"],
        dataset=request["dataset"],
        config_dict={
            "data_path": request["data_path"],
            "load_col": {"inter": ["user_id", "item_id"]},
            "eval_args": split,
            "use_gpu": False,
            "epochs": request["epochs"],
            "eval_step": request["epochs"],
            "train_batch_size": request["batch_size"],
            "eval_batch_size": 4096,
            "show_progress": False,
            "checkpoint_dir": request["data_path"],
            "seed": 42,
            "reproducibility": False,
            **request["settings"],
        },
    )
    report = {"training": times.training, "evaluating": times.evaluating, "test": dict(result["test_result"])}
    sys.stdout.write("\n" + json.dumps(report, default=float) + "\n")


if __name__ == "__main__":
    main()
