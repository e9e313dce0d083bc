"""A training on two processes over gloo, of which one is ended, or the one that watches them; then it goes on.

    python benchmarks/rank_faults.py --output benchmarks/results/rank_faults.md

Each rank and the process that a user has started is ended by SIGKILL and by SIGTERM in the third epoch. Counted is what
is said of it and which processes are left. Then ``resume=`` goes on, on two processes and on one in turn, and its test
metrics are those of a training that nobody has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

from results_file import write_results

TRAIN = Path(__file__).parents[1] / "scripts" / "train.py"
SETTINGS = [
    *("data=synthetic", "data.num_users=200", "data.num_items=200", "data.num_interactions=3000"),
    *("split=leave_last_out", "trainer.accelerator=cpu", "evaluation.bootstrap_samples=20", "tracking=none"),
    *("evaluation.progress=false", "show_users=0", "model=mf", "model.embedding_dim=16", "training.batch_size=64"),
]

#: Who is ended: a rank, or the process that was started and watches.
WATCHER = "the process that was started"
VICTIMS = {"rank 0": 0, "rank 1": 1, WATCHER: None}

#: A process that is there so long after all should have ended is left over.
_LIMIT_SECONDS = 30.0


def processes_below(process: int) -> dict[int, int]:
    """The ranks that a process has started: their numbers as processes, by rank."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(entry) == process and (rank := _rank(entry)) >= 0:
            found[rank] = int(entry.name)
    return found


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


def _runs(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def command(epochs: int) -> list[str]:
    """The training that is ended."""
    return [sys.executable, "-W", "ignore", str(TRAIN), *SETTINGS, f"trainer.max_epochs={epochs}", "trainer.devices=2"]


def finished(line: list[str], directory: Path) -> Path:
    """Run a command to its end; the run directory that it names."""
    done = subprocess.run(line, capture_output=True, text=True, cwd=directory)
    found = re.search(r"^run: (.*)$", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise SystemExit(f"a training failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return directory / found[1]


def metrics_of(run: Path) -> dict[str, float]:
    """The test metrics that are numbers."""
    found = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if value is not None}


def ended(directory: Path, epochs: int, victim: int | None, number: signal.Signals) -> tuple[Path, str, str]:
    """End a process of a training in its third epoch; returns the run, what was said, and what is left."""
    runs = directory / "runs"
    before = set(runs.iterdir())
    process = subprocess.Popen(
        command(epochs), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=directory
    )
    assert process.stdout is not None and process.stderr is not None
    for line in process.stdout:
        if re.match(r"epoch +2/", line):
            break
    ranks = processes_below(process.pid)
    every = [process.pid, *ranks.values()]
    os.kill(process.pid if victim is None else ranks[victim], number)
    begin = time.monotonic()
    _, errors = process.communicate(timeout=300)
    while (left := [one for one in every if _runs(one)]) and time.monotonic() - begin < _LIMIT_SECONDS:
        time.sleep(0.05)
    (run,) = set(runs.iterdir()) - before
    seconds = time.monotonic() - begin
    for one in left:
        os.kill(one, signal.SIGKILL)
    print(errors.strip(), flush=True)
    messages = len(re.findall(r"^(?:error: |interrupted|The training was asked to end)", errors, re.MULTILINE))
    traced = ", **a traceback**" if "Traceback" in errors else ""
    said = f"{messages} message{'s' * (messages != 1)}, status {process.returncode}{traced}"
    return run, said, f"**{len(left)}**" if left else f"none after {seconds:.1f} s"


def main() -> None:
    """End each process, go on, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--only", nargs="*", choices=VICTIMS, default=list(VICTIMS), help="some of the processes")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines = [
        "# A process of a training on two is ended",
        "",
        f"`{shlex.join(['python', *sys.argv])}`: `mf` on 3,000 made-up interactions, two processes over gloo,",
        f"{options.epochs} epochs. One process is ended in the third epoch. {os.cpu_count()} CPU cores, shared with",
        "other work.",
        "",
        "| ended | by | said | processes left | and gone on with |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        whole = metrics_of(finished(command(options.epochs), directory))
        devices = cycle((2, 1, 1, 2))
        for victim in options.only:
            for number in (signal.SIGKILL, signal.SIGTERM):
                run, said, left = ended(directory, options.epochs, VICTIMS[victim], number)
                count = next(devices)
                finished(
                    [sys.executable, "-W", "ignore", str(TRAIN), f"resume={run}", f"trainer.devices={count}"], directory
                )
                found = metrics_of(run)
                same = sum(found[key] == value for key, value in whole.items())
                far = max(abs(found[key] - value) for key, value in whole.items())
                apart = f", {far:.0e} apart" if far else ""
                lines.append(
                    f"| {victim} | {number.name} | {said} | {left} | `trainer.devices={count}`: {same} of {len(whole)} "
                    f"test metrics the same{apart} |"
                )
                print(lines[-1], flush=True)
                write_results("\n".join([*lines, ""]), options.output)


if __name__ == "__main__":
    main()
