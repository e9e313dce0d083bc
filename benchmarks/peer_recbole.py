"""Times RecBole; runs in an environment of its own (see ``recbole_speed.py``), without recsys.

Called by ``recbole_speed.py``: reads a JSON request from standard input, writes the times as the last line of output.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

_load = torch.load
torch.load = lambda *args, **kwargs: _load(*args, **{**kwargs, "weights_only": False})

from recbole.quick_start import run_recbole  # noqa: E402
from recbole.trainer import Trainer  # noqa: E402

Seconds = list[tuple[float, float]]


def clocked(method: Callable[..., Any], into: Seconds) -> Callable[..., Any]:
    """``method``, each call of which notes the seconds of the processor and of the wall."""

    def timed(*args: Any, **options: Any) -> Any:
        before = time.process_time(), time.perf_counter()
        result = method(*args, **options)
        into.append((time.process_time() - before[0], time.perf_counter() - before[1]))
        return result

    return timed


def main() -> None:
    """Train and evaluate as the request says."""
    request = json.load(sys.stdin)
    torch.set_num_threads(request["threads"])
    training: Seconds = []
    evaluating: Seconds = []
    Trainer._train_epoch = clocked(Trainer._train_epoch, training)
    Trainer._valid_epoch = clocked(Trainer._valid_epoch, evaluating)
    result = run_recbole(
        model=request["model"],
        dataset=request["dataset"],
        config_dict={
            "data_path": request["data_path"],
            "load_col": {"inter": ["user_id", "item_id"]},
            "benchmark_filename": request["parts"],
            "eval_args": {"mode": "full"},
            "metrics": ["Recall", "NDCG"],
            "topk": 10,
            "valid_metric": "NDCG@10",
            "use_gpu": False,
            "epochs": request["epochs"],
            "eval_step": request["epochs"],
            "train_batch_size": request["batch_size"],
            "eval_batch_size": 4096,
            "show_progress": False,
            "checkpoint_dir": request["data_path"],
            "seed": request["seed"],
            "reproducibility": False,
            **request["settings"],
        },
    )
    means = {"valid": dict(result["best_valid_result"]), "test": dict(result["test_result"])}
    report = {"training": training, "evaluating": evaluating, **means}
    sys.stdout.write("\n" + json.dumps(report, default=float) + "\n")


if __name__ == "__main__":
    main()
