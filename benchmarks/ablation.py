"""What each ingredient of a model is worth: a base, and variants of it that differ by some overrides, over seeds.

::

    python benchmarks/ablation.py benchmarks/ablations/two_tower.yaml --output benchmarks/results/two_tower_ablation.md

A file has sections; each has a title, the metrics to show (``valid/...`` is the best epoch's), the overrides of
``scripts/train.py`` that all of its runs share, and the variants: a name and further overrides. Arguments after the
options are overrides for all runs, such as ``data.root=DIR``. Finished runs are kept in ``--runs`` and not repeated.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from results_file import write_results

TRAIN = Path(__file__).parents[1] / "scripts" / "train.py"


def run(directory: Path, overrides: list[str]) -> dict[str, float]:
    """Train with ``overrides``, unless that has been done, and read the metrics."""
    done = sorted(directory.glob("*/run.json"))
    if not done:
        command = [sys.executable, str(TRAIN), *overrides, f"paths.runs_dir={directory}", "tracking=none"]
        process = subprocess.run([*command, "show_users=0"], capture_output=True, text=True)
        done = sorted(directory.glob("*/run.json"))
        if process.returncode != 0 or not done:
            raise SystemExit(f"{' '.join(command)}\n{process.stdout[-2000:]}\n{process.stderr[-2000:]}")
    metrics: dict[str, float] = json.loads((done[0].parent / "metrics.json").read_text(encoding="utf-8"))
    fitting = done[0].parent / "checkpoints" / "fit.json"
    if fitting.is_file():
        report: dict[str, Any] = json.loads(fitting.read_text(encoding="utf-8"))
        metrics |= {name: value for name, value in report["epochs"][report["best_epoch"] - 1].items() if "/" in name}
    return metrics


def cell(values: list[float]) -> str:
    """The mean, and the deviation over seeds where there are several."""
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def _slug(text: str) -> str:
    """A name of a directory that needs no quotes on the command line."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower())


def main() -> None:
    """Run all variants of all sections and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments, overrides = parser.parse_known_args()
    lines = [f"# {arguments.file.stem.replace('_', ' ')}: each ingredient on and off", ""]
    lines += [f"Seeds {', '.join(map(str, arguments.seeds))}; mean and deviation.", ""]
    for section in yaml.safe_load(arguments.file.read_text(encoding="utf-8")):
        lines += [f"## {section['title']}", "", f"`python scripts/train.py {' '.join(section['base'])}`", ""]
        lines += [f"| | {' | '.join(section['metrics'])} |", f"|---|{'---|' * len(section['metrics'])}"]
        for name, changes in section["variants"].items():
            found = [
                run(
                    arguments.runs / arguments.file.stem / _slug(f"{section['title']} {name} {seed}"),
                    [*section["base"], *changes, *overrides, f"seed={seed}"],
                )
                for seed in arguments.seeds
            ]
            cells = [cell([metrics[metric] for metrics in found]) for metric in section["metrics"]]
            shown = f"{name} (`{' '.join(changes)}`)" if changes else name
            lines.append(f"| {shown} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
        lines.append("")
    write_results("\n".join(lines), arguments.output)


if __name__ == "__main__":
    main()
