"""How threads that wait cost time where other processes want the processors, and where none does.

::

    python benchmarks/busy_machine.py --busy 0 --rounds 3
    python benchmarks/busy_machine.py --busy 2

Each piece of work runs in processes of its own under several settings of the environment, alone and beside processes
that spin: what commands set, OpenMP (PyTorch) asleep at once and as it comes, OpenBLAS (NumPy) as it comes and with one
thread.
The settings take turns, so that a machine which changes its pace meanwhile favours none. Times are the least of several
repeats, wall time: of the fit of a model, of its evaluation, of an epoch, and of products that only NumPy makes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from results_file import write_results

import recsys
from recsys.cli.process.threads import COUNT, OPENBLAS_WAITING, OPENMP_WAITING

#: What is compared: names in the table, and the variables that differ from what commands set; None: not set.
SETTINGS: Mapping[str, Mapping[str, str | None]] = {
    "as commands do": {},
    "OpenMP sleeps at once": {"GOMP_SPINCOUNT": None},
    "OpenMP as it comes": dict.fromkeys(OPENMP_WAITING),
    "OpenBLAS as it comes": dict.fromkeys(OPENBLAS_WAITING),
    "OpenBLAS, one thread": {"OPENBLAS_NUM_THREADS": "1"},
}

MODELS: Mapping[str, Callable[[], recsys.Estimator]] = {
    "EASE": lambda: recsys.EASE(l2=300.0),
    "iALS": lambda: recsys.IALS(),
    "NMF": lambda: recsys.NMF(),
}


def main() -> None:
    """Measure everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, default=2, help="processes that spin beside")
    parser.add_argument("--rounds", type=int, default=1, help="processes for each setting")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS), help="those compared")
    parser.add_argument("--output", type=Path, help="Markdown file for the results")
    parser.add_argument("--work", action="store_true", help="measure in this process, and print JSON")
    options = parser.parse_args()
    if options.work:
        sys.stdout.write(json.dumps(measured()) + "\n")
        return
    with spinning(options.busy):
        text = table(compared(options.settings, options.rounds))
    sys.stdout.write(f"{text}\n")
    command = f"python benchmarks/busy_machine.py --busy {options.busy} --rounds {options.rounds}"
    write_results(
        f"# Threads that wait, beside {options.busy} busy processes\n\n`{command}`\n\n{text}\n", options.output
    )


def measured() -> dict[str, float]:
    """Least seconds of each piece of work, in this process."""
    split = recsys.Dataset.movielens_100k().split("random_ratio")
    times = {}
    for name, make in MODELS.items():
        times[f"{name}, fit"] = least(lambda make=make: make().fit(split.train))
        model = make().fit(split.train)
        times[f"{name}, evaluation"] = least(lambda model=model: recsys.evaluate(model, split))
    importlib.import_module("pytorch_lightning")  # which takes longer than the epoch
    times["MF, one epoch"] = least(lambda: recsys.MF(epochs=1).fit(split.train), 1)
    random = np.random.default_rng(0)
    wide, tall = random.normal(size=(64, 1700)), random.normal(size=(1000, 64))
    square = random.normal(size=(1000, 1000))
    times["NumPy, 50 products of 1,000 x 64 and 64 x 1,700"] = least(lambda: [tall @ wide for _ in range(50)])
    times["NumPy, 10 products of 1,000 x 1,000"] = least(lambda: [square @ square for _ in range(10)])
    return times


def least(work: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of several repeats."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Keep processors busy meanwhile."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def compared(names: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """By setting the least seconds of each piece of work, over several processes."""
    times: dict[str, dict[str, float]] = {name: {} for name in names}
    for _ in range(rounds):
        for name in names:
            changes = SETTINGS[name]
            environment = {key: text for key, text in os.environ.items() if key not in (COUNT, "OPENBLAS_NUM_THREADS")}
            environment |= OPENMP_WAITING | OPENBLAS_WAITING
            for key, text in changes.items():
                environment.pop(key, None)
                if text is not None:
                    environment[key] = text
            command = [sys.executable, __file__, "--work"]
            finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            sys.stderr.write(f"{name}: {finished.stdout}")
            for work, seconds in json.loads(finished.stdout.splitlines()[-1]).items():
                times[name][work] = min(seconds, times[name].get(work, seconds))
    return times


def table(times: Mapping[str, Mapping[str, float]]) -> str:
    """A row for each piece of work, a column for each setting."""
    lines = [f"| work | {' | '.join(times)} |", f"|---|{'---|' * len(times)}"]
    for work in next(iter(times.values())):
        lines.append(f"| {work} | {' | '.join(f'{seconds[work]:.2f}' for seconds in times.values())} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
