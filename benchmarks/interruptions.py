"""Trainings and sweeps that are interrupted at random moments, and gone on with until they end: is the end the same?

::

    python benchmarks/interruptions.py --rounds 5 --output benchmarks/results/interruptions.md

Each command trains on small made-up data and is first run without interruption. Then it is started again and again: a
signal comes at a moment drawn evenly from the time that the whole takes, and the command that goes on (``resume=``,
``sweep=``) is started, until it comes to its end. A round has one or more interruptions. The metrics of the end must
be those of the run that was never interrupted, to the last digit. After Ctrl-C no temporary file may be left and no
traceback printed; what a killed process was writing may lie there, and is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from results_file import write_results

ROOT = Path(__file__).parents[1]
SMALL = [
    *("data=synthetic", "data.num_users=200", "data.num_items=200", "data.num_interactions=3000"),
    *(
        "split=leave_last_out",
        "trainer.accelerator=cpu",
        "evaluation.bootstrap_samples=50",
        "evaluation.progress=false",
    ),
    *("tracking=none", "show_users=0"),
]
STEPS = ["training.batch_size=128", "trainer.max_epochs=6", "model.embedding_dim=16"]
#: Most interruptions of a round; then the command is let go on to its end.
MAX_INTERRUPTIONS = 4


@dataclass(frozen=True)
class Command:
    """A command that is interrupted.

    Args:
        name: in the table.
        arguments: of ``scripts/train.py``.
    """

    name: str
    arguments: tuple[str, ...]

    @property
    def is_sweep(self) -> bool:
        """Whether it makes several runs."""
        return "-m" in self.arguments


PRETRAINING = "pretraining={gmf: {trainer: {max_epochs: 3}}, mlp: {}}"
COMMANDS = (
    Command("ease", ("model=ease",)),
    Command("mf", ("model=mf", *STEPS)),
    Command("mf, refit=true", ("model=mf", *STEPS, "refit=true")),
    Command("mf, refit=all", ("model=mf", *STEPS, "refit=all")),
    Command("neumf, towers trained apart", ("model=neumf", *STEPS, "model.mlp_embedding_dim=8", PRETRAINING)),
    Command("sweep of three", ("-m", "model=mf", "seed=1,2,3", *STEPS, "name=mf_${seed}")),
)


@dataclass
class Round:
    """One round: which signals came when, and what the end was.

    Args:
        moments: seconds after the start at which each signal came.
        same: whether the metrics of the end are those of the uninterrupted run.
        left: files that should not be there.
    """

    moments: list[float]
    same: bool
    left: list[str]


def main() -> None:
    """Run the rounds, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each command and signal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="names of some commands")
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    drawn = random.Random(arguments.seed)
    head = ["# Interrupted at random moments, and gone on with", "", f"`{shlex.join(['python', *sys.argv])}`", ""]
    rows = ["| command | signal | rounds | interruptions | same end | files left |", "|---|---|---|---|---|---|"]
    failed = False
    for command in COMMANDS:
        if arguments.only and command.name not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            started = time.perf_counter()
            expected = finish(command, place / "whole")
            whole = time.perf_counter() - started
            for name, number in (("Ctrl-C", signal.SIGINT), ("SIGKILL", signal.SIGKILL)):
                rounds = [
                    interrupted(command, place / f"{name}_{count}", number, whole, drawn, expected)
                    for count in range(arguments.rounds)
                ]
                same, left = sum(one.same for one in rounds), sum(len(one.left) for one in rounds)
                failed |= same < len(rounds) or left > 0
                times = sum(len(one.moments) for one in rounds)
                counted = str(left) if number == signal.SIGINT else "-"
                rows.append(f"| {command.name} | {name} | {len(rounds)} | {times} | {same} | {counted} |")
                sys.stdout.write(f"{rows[-1]}\n")
                sys.stdout.flush()
                write_results("\n".join([*head, *rows, ""]), arguments.output)
    raise SystemExit(failed)


def start(command: Command, place: Path, *further: str) -> subprocess.Popen[str]:
    """Start ``scripts/train.py`` in ``place``, with its output in a file there."""
    place.mkdir(exist_ok=True)
    line = [sys.executable, "-W", "ignore", str(ROOT / "scripts" / "train.py"), *further]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (place / "output.txt").open("a", encoding="utf-8") as output:
        return subprocess.Popen(line, cwd=place, stdout=output, stderr=subprocess.STDOUT, text=True, env=environment)


def finish(command: Command, place: Path) -> dict[str, str]:
    """Go on until the end; the metrics of each run by its name."""
    process = start(command, place, *to_go_on(command, place))
    if process.wait() != 0:
        raise SystemExit(f"{command.name} failed:\n{(place / 'output.txt').read_text()[-3000:]}")
    return metrics_of(place)


def interrupted(
    command: Command, place: Path, number: signal.Signals, whole: float, drawn: random.Random, expected: dict[str, str]
) -> Round:
    """Interrupt a command at random moments, and go on."""
    moments = []
    for _ in range(drawn.randint(1, MAX_INTERRUPTIONS)):
        process = start(command, place, *to_go_on(command, place))
        moment = drawn.uniform(0, whole)
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.wait()
            moments.append(moment)
            if number == signal.SIGINT and "Traceback" in (place / "output.txt").read_text():
                raise SystemExit(f"a traceback after Ctrl-C:\n{(place / 'output.txt').read_text()[-3000:]}") from None
        if is_finished(command, place):
            break
    found = metrics_of(place) if is_finished(command, place) else finish(command, place)
    left = [path.name for path in place.rglob("*.partial")] + [path.name for path in place.rglob(".lock")]
    return Round(moments, found == expected, left if number == signal.SIGINT else [])


def to_go_on(command: Command, place: Path) -> list[str]:
    """The arguments that go on with what is in ``place``; those of the command itself where nothing is."""
    if command.is_sweep:
        sweeps = sorted((place / "runs" / "sweeps").glob("*/jobs"))
        return [*command.arguments, *SMALL, *([f"sweep={sweeps[0].parent}"] if sweeps else [])]
    configs = sorted((place / "runs").glob("*/config.yaml"))
    return [f"resume={configs[0].parent}"] if configs else [*command.arguments, *SMALL]


def is_finished(command: Command, place: Path) -> bool:
    """Whether all runs came to their end."""
    configs = list((place / "runs").glob("*/config.yaml"))
    wanted = 3 if command.is_sweep else 1
    return len(configs) == wanted and all((path.parent / "run.json").is_file() for path in configs)


def metrics_of(place: Path) -> dict[str, str]:
    """The metrics of each run, as text, by the name of its model."""
    found = {}
    for path in sorted((place / "runs").glob("*/metrics.json")):
        name = path.parent.name.split("_", 2)[2]
        found[name] = json.dumps(json.loads(path.read_text(encoding="utf-8")))
    return found


if __name__ == "__main__":
    main()
