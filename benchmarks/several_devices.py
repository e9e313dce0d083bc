"""Trains on one, two and four processes over gloo, and compares what comes out; kills one and goes on.

    python benchmarks/several_devices.py --data DIR --output benchmarks/results/several_devices.md

``--data`` is MovieLens' small set (its archive's directory). Each training is a command of its own, as a user types it.
Takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from counted.ranks import bytes_given_per_step
from results_file import write_results

TRAIN = Path(__file__).parents[1] / "scripts" / "train.py"

#: What is trained on every number of processes; dropout is left out, as each rank draws its own.
MODELS = {
    "mf": ["model=mf"],
    "mf, 64-bit": ["model=mf", "trainer.precision=64-true"],
    "neumf": ["model=neumf"],
    "neumf, 64-bit": ["model=neumf", "trainer.precision=64-true"],
    "two_tower": ["model=two_tower", "model.dropout=0", "model.id_dropout=0", "training/next_item_loss=full_softmax"],
    "ease": ["model=ease"],
    "item_knn": ["model=item_knn"],
    "ials": ["model=ials"],
}

#: Trained with tables in rows over the ranks too.
SHARDED = ("mf", "neumf")


class Trainings:
    """Runs trainings of the data in one directory.

    Args:
        data: MovieLens' small set.
        directory: of runs and prepared data.
        epochs: of each training.
    """

    def __init__(self, data: Path, directory: Path, epochs: int) -> None:
        self.directory = directory
        self._settings = [
            "data=movielens_latest_small",
            f"data.root={data.resolve()}",
            f"paths.prepared_dir={directory / 'prepared'}",
            f"paths.runs_dir={directory / 'runs'}",
            f"trainer.max_epochs={epochs}",
            *("tracking=none", "show_users=0", "trainer.accelerator=cpu", "evaluation.bootstrap_samples=20"),
        ]

    def command(self, *settings: str) -> list[str]:
        """The command line of a training."""
        return [sys.executable, str(TRAIN), *self._settings, *settings]

    def run(self, *settings: str) -> tuple[Path, str]:
        """Train; returns the run directory and what was printed."""
        done = subprocess.run(self.command(*settings), capture_output=True, text=True)
        return self._run_of(done)

    def torchrun(self, count: int, *settings: str) -> tuple[Path, str]:
        """Train by torchrun."""
        launcher = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={count}"]
        return self._run_of(subprocess.run([*launcher, *self.command(*settings)[1:]], capture_output=True, text=True))

    def resumed(self, run: Path, *settings: str) -> tuple[Path, str]:
        """Go on with a run."""
        line = [sys.executable, str(TRAIN), f"resume={run}", *settings]
        return self._run_of(subprocess.run(line, capture_output=True, text=True))

    @staticmethod
    def _run_of(done: subprocess.CompletedProcess[str]) -> tuple[Path, str]:
        found = re.search(r"^run: (.*)$", done.stdout, re.MULTILINE)
        if done.returncode or found is None:
            raise SystemExit(f"a training failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return Path(found[1]), done.stdout

    def killed(self, victim: int, *settings: str) -> tuple[Path, str, float]:
        """Train, kill a rank in the third epoch; returns the run, the message, and the seconds until all had ended."""
        process = subprocess.Popen(self.command(*settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if re.match(r"epoch +2/", line):
                break
        ranks = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _parent(entry) == process.pid and _rank(entry) == victim
        ]
        os.kill(ranks[0], signal.SIGKILL)
        begin = time.monotonic()
        _, errors = process.communicate()
        seconds = time.monotonic() - begin
        found = re.search(r"resume=(\S+)", errors)
        if found is None or "Traceback" in errors:
            raise SystemExit(f"no clear message:\n{errors}")
        return Path(found[1]), errors.strip(), seconds


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _rank(entry: Path) -> int:
    try:
        variables = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return -1
    return next((int(value.partition(b"=")[2]) for value in variables if value.startswith(b"RANK=")), -1)


def metrics_of(run: Path) -> dict[str, float]:
    """Validation metrics of each epoch, in all digits that are kept, and the test metrics."""
    found = {f"test {key}": value for key, value in json.loads((run / "metrics.json").read_text()).items()}
    history = run / "history.csv"
    if history.is_file():
        head, *rows = (line.split(",") for line in history.read_text().splitlines())
        for row in rows:
            found |= {
                f"epoch {row[0]} {name}": float(value)
                for name, value in zip(head, row, strict=True)
                if name.startswith("valid/")
            }
    return {
        key: value for key, value in found.items() if value is not None and "_low" not in key and "_high" not in key
    }


def difference(one: Path, other: Path) -> str:
    """How far the metrics of two runs are apart, in words."""
    first, second = metrics_of(one), metrics_of(other)
    if first.keys() != second.keys():
        return "other epochs"
    largest = max((abs(first[key] - second[key]) for key in first), default=0.0)
    same = sum(first[key] == second[key] for key in first)
    return "the same digits" if largest == 0 else f"up to {largest:.1e}; {same} of {len(first)} the same"


def matrix(trainings: Trainings, counts: Sequence[int], models: Sequence[str]) -> list[str]:
    """Rows of the table of models and numbers of processes."""
    rows = []
    for name in models:
        one, _ = trainings.run(*MODELS[name])
        cells = []
        for count in counts:
            run, _ = trainings.run(*MODELS[name], f"trainer.devices={count}")
            cells.append(difference(one, run))
        ndcg = json.loads((one / "metrics.json").read_text())["test/ndcg@10"]
        rows.append(f"| {name} | {ndcg:.4f} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    return rows


def sharded(trainings: Trainings, counts: Sequence[int], models: Sequence[str]) -> list[str]:
    """Rows of the table of divided tables."""
    rows = []
    for name in models:
        one, _ = trainings.run(*MODELS[name])
        for count in counts:
            run, out = trainings.run(*MODELS[name], f"trainer.devices={count}", "trainer.shard_embeddings=true")
            held = re.search(r"keeps of them: (.*)", out)
            rows.append(f"| {name} | {count} | {difference(one, run)} | {held[1] if held else '?'} |")
            print(rows[-1], flush=True)
    return rows


def faults(trainings: Trainings) -> list[str]:
    """Rows of the table of killed and resumed trainings."""
    settings = [*MODELS["mf"], "trainer.devices=2"]
    whole, _ = trainings.run(*settings)
    rows = []
    for victim, went_on in ((0, ["trainer.devices=2"]), (1, ["trainer.devices=1"])):
        run, message, seconds = trainings.killed(victim, *settings)
        print(message, flush=True)
        _, _ = trainings.resumed(run, *went_on)
        rows.append(
            f"| rank {victim} of 2 is killed | one message after {seconds:.1f} s "
            f"| {went_on[0]}: {difference(whole, run)} |"
        )
        print(rows[-1], flush=True)
    run, _ = trainings.torchrun(2, *MODELS["mf"])
    rows.append(f"| started by torchrun | | {difference(whole, run)} |")
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    traffic = [
        f"| {model} | {whole / 1e6:.1f} | {bytes_given_per_step(model) / 1e6:.2f} |"
        for model in ("mf", "neumf")
        for whole in [bytes_given_per_step(model, by_rows=False)]
    ]
    with tempfile.TemporaryDirectory() as directory:
        trainings = Trainings(options.data, Path(directory), options.epochs)
        trained = matrix(trainings, options.processes, options.models)
        divided = sharded(trainings, options.processes, [name for name in SHARDED if name in options.models])
        killed = faults(trainings)
    heads = " | ".join(f"{count} processes" for count in options.processes)
    text = "\n".join(
        [
            "# Several devices\n",
            "`python benchmarks/several_devices.py --data DIR`, MovieLens' small set, processes over gloo on the CPU,",
            f"{options.epochs} epochs; validation metrics of each epoch and test metrics are compared with those",
            "of one process.\n",
            f"| model | test NDCG@10, one process | {heads} |\n|---|---|{'---|' * len(options.processes)}",
            *trained,
            "\nTables in rows over the ranks, beside one process (MB: of each rank, with what Adam keeps of them):\n",
            "| model | processes | metrics | MB |\n|---|---|---|---|",
            *divided,
            "\nFaults, beside a training that was not interrupted:\n",
            "| | | and gone on with |\n|---|---|---|",
            *killed,
            "\nMB that a rank of two gives to collectives in a step, at the size of MovieLens 20M:\n",
            "| model | whole tables | touched rows |\n|---|---|---|",
            *traffic,
            "",
        ]
    )
    print(text)
    write_results(text, options.output)


if __name__ == "__main__":
    main()
