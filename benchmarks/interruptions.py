"""Commands that are interrupted at random moments, and gone on with until they end: is the end the same?

::

    python benchmarks/interruptions.py --rounds 5 --output benchmarks/results/interruptions.md

Trainings, a sweep, a study, a leaderboard, whole lists and updates, all on small made-up data. Each command is first
run without interruption. Then it is started again and again: a signal comes at a moment drawn evenly from the time that
the whole takes, and the command that goes on (``resume=``, ``sweep=``, or the same one) is started, until it comes to
its end. A round has one or more interruptions. What the end has made (metrics, trials, lists) must be that of the
command that was never interrupted, to the last digit, and an update must leave its parent as it was. After Ctrl-C no
temporary file may be left and no traceback printed; what a killed process was writing may lie there, and is not
counted.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from results_file import write_results

ROOT = Path(__file__).parents[1]
PLAIN = [
    *("trainer.accelerator=cpu", "evaluation.bootstrap_samples=50", "evaluation.progress=false"),
    *("tracking=none", "show_users=0"),
]
SMALL = [
    *("data=synthetic", "data.num_users=200", "data.num_items=200", "data.num_interactions=3000"),
    *("split=leave_last_out", *PLAIN),
]
STEPS = ["training.batch_size=128", "trainer.max_epochs=6", "model.embedding_dim=16"]
#: What a command is about, beside the places of the rounds: a finished run, or a directory with one.
MADE = "made"
#: Interactions that came after the training of the run that is updated.
NEWER = "newer.csv"
LISTS = "lists.csv"
#: Most interruptions of a round; then the command is let go on to its end.
MAX_INTERRUPTIONS = 4


#: Minutes that a leaderboard does not need for its trials, so that these alone decide when it ends.
PLENTY = "minutes=60"


@dataclass(frozen=True)
class Command:
    """A command that is interrupted: ``scripts/train.py`` for one run.

    Args:
        name: in the table.
        arguments: of its script; ``RUN`` stands for a finished run.
    """

    name: str
    arguments: tuple[str, ...]
    script: ClassVar[str] = "train"

    def make(self, place: Path) -> None:
        """Make ``place`` with what the command is about; most are about nothing that is there."""

    def whole_line(self, place: Path) -> list[str]:
        """The arguments that begin anew."""
        return [argument.replace("RUN", str(place.parent / MADE)) for argument in (*SMALL, *self.arguments)]

    def to_go_on(self, place: Path) -> list[str]:
        """The arguments that go on with what is in ``place``; those of the command itself where nothing is."""
        configs = sorted((place / "runs").glob("*/config.yaml"))
        return [f"resume={configs[0].parent}"] if configs else self.whole_line(place)

    def is_finished(self, place: Path) -> bool:
        """Whether it came to its end."""
        return all_finished(place, 1)

    def result(self, place: Path) -> dict[str, str]:
        """What the end has made."""
        return metrics_of(place / "runs")


class Sweep(Command):
    """``scripts/train.py -m``."""

    def to_go_on(self, place: Path) -> list[str]:
        """The same, and the sweep where there is one."""
        sweeps = sorted((place / "runs" / "sweeps").glob("*/jobs"))
        return [*self.whole_line(place), *([f"sweep={sweeps[0].parent}"] if sweeps else [])]

    def is_finished(self, place: Path) -> bool:
        """Whether its three runs are there."""
        return all_finished(place, 3)


class Tuning(Command):
    """``scripts/tune.py``, whose result is its trials."""

    script = "tune"

    def to_go_on(self, place: Path) -> list[str]:
        """The same."""
        return self.whole_line(place)

    def is_finished(self, place: Path) -> bool:
        """Whether the best settings are there."""
        return any((place / "tuning").glob("*/best.yaml"))

    def result(self, place: Path) -> dict[str, str]:
        """The values and settings of the trials, without their times."""
        (path,) = (place / "tuning").glob("*/trials.csv")
        return {row["trial"]: str({**row, "seconds": ""}) for row in csv.DictReader(path.open(encoding="utf-8"))}


class Leaderboard(Command):
    """``scripts/benchmark_models.py``, whose result are the tested models."""

    script = "benchmark_models"

    def to_go_on(self, place: Path) -> list[str]:
        """``resume=`` where there is a directory of results."""
        begun = sorted((place / "results").glob("*/leaderboard.json"))
        return [f"resume={begun[0].parent}"] if begun else self.whole_line(place)

    def is_finished(self, place: Path) -> bool:
        """Whether the page is there."""
        return any((place / "results").glob("*/leaderboard.md"))

    def result(self, place: Path) -> dict[str, str]:
        """The metrics of the runs that were tested."""
        return metrics_of(*(place / "results").glob("*/runs"))


class WholeLists(Command):
    """``scripts/recommend_all.py``, whose result is its file."""

    script = "recommend_all"

    def make(self, place: Path) -> None:
        """Train what the lists are of."""
        trained = Command("made", ("model=ease", "data.num_users=5000", "data.num_interactions=40000"))
        finish(trained, place.parent / "trained")
        (config,) = place.parent.glob("trained/runs/*/config.yaml")
        place.symlink_to(config.parent)

    def whole_line(self, place: Path) -> list[str]:
        """Without the settings of a training."""
        return [argument.replace("RUN", str(place.parent / MADE)) for argument in self.arguments]

    def to_go_on(self, place: Path) -> list[str]:
        """The same."""
        return self.whole_line(place)

    def is_finished(self, place: Path) -> bool:
        """Whether the file is there."""
        return (place / LISTS).is_file()

    def result(self, place: Path) -> dict[str, str]:
        """The file."""
        return {LISTS: (place / LISTS).read_text(encoding="utf-8")}


class Update(Command):
    """``scripts/update.py``, whose result is the updated run and its parent, which stays as it is.

    Args:
        arguments: of the training of the parent, of which each place has a copy.
    """

    script = "update"

    def make(self, place: Path) -> None:
        """Train the parent on the older interactions in ``place``, beside the newer ones."""
        place.mkdir()
        drawn = random.Random(0)
        rows = []
        for number in range(3000):
            taste = drawn.randrange(8)  # of user and item, most times
            other = taste if drawn.random() < 0.7 else drawn.randrange(8)
            user, item = 8 * drawn.randrange(20) + taste, 8 * drawn.randrange(15) + other
            rows.append((user, item, 1_600_000_000 + 10_000 * number))
        for name, part in (("older.csv", rows[:2700]), (NEWER, rows[2700:])):
            with (place / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("user_id", "item_id", "timestamp"), *part])
        script = [sys.executable, "-W", "ignore", str(ROOT / "scripts" / "train.py")]
        table = ("data=table", "data.interactions=older.csv", "data.columns.rating=null", "split=hash", *PLAIN)
        trained = subprocess.run([*script, *table, *self.arguments], cwd=place, capture_output=True, text=True)
        if trained.returncode:
            raise SystemExit(f"{self.name}: the parent failed:\n{trained.stderr[-3000:]}")

    def whole_line(self, place: Path) -> list[str]:
        """Of the parent in ``place``."""
        if not (place / "runs").is_dir():
            made = place.parent / MADE
            shutil.copytree(made, place, dirs_exist_ok=True)
            for path in place.glob("runs/*/run.json"):  # says where the data are
                path.write_text(path.read_text("utf-8").replace(str(made), str(place)), encoding="utf-8")
        return [f"run={_parent(place).relative_to(place)}", f"interactions={NEWER}"]

    def to_go_on(self, place: Path) -> list[str]:
        """The same."""
        return self.whole_line(place)

    def is_finished(self, place: Path) -> bool:
        """Whether there are two runs, the parent and its update."""
        return all_finished(place, 2)

    def result(self, place: Path) -> dict[str, str]:
        """The metrics of both, the interactions of all prepared data, and all files of the parent."""
        (updated,) = set((place / "runs").glob("*/metrics.json")) - {_parent(place) / "metrics.json"}
        files = [path for path in _parent(place).rglob("*") if path.is_file() and path.name != "run.json"]
        kept = {str(path.relative_to(place)): _digest(path) for path in files}
        # The name of a prepared directory comes from where its tables are, which is another place each time.
        data = {f"{path.name} {_digest(path)}": "" for path in place.glob("data/prepared/*/*.parquet")}
        return {"updated": updated.read_text(encoding="utf-8"), **kept, **data}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parent(place: Path) -> Path:
    """The run that is updated: the oldest."""
    return min((place / "runs").glob("*_*"))


PRETRAINING = "pretraining={gmf: {trainer: {max_epochs: 3}}, mlp: {}}"
COMMANDS = (
    Command("ease", ("model=ease",)),
    Command("mf", ("model=mf", *STEPS)),
    Command("mf, refit=true", ("model=mf", *STEPS, "refit=true")),
    Command("mf, refit=all", ("model=mf", *STEPS, "refit=all")),
    Command("neumf, towers trained apart", ("model=neumf", *STEPS, "model.mlp_embedding_dim=8", PRETRAINING)),
    Sweep("sweep of three", ("-m", "model=mf", "seed=1,2,3", *STEPS, "name=mf_${seed}")),
    Tuning("tune, four trials", ("model=mf", *STEPS, "trials=4")),
    Leaderboard("benchmark_models", ("models=[popularity,ease,item_knn]", "trials=3", PLENTY)),
    WholeLists("recommend_all", ("run=RUN", f"output={LISTS}", "part_size=128")),
    Update("update of mf", ("model=mf", *STEPS)),
    Update("update of neumf", ("model=neumf", *STEPS, "model.mlp_embedding_dim=8")),
    Update("update of two_tower", ("model=two_tower", *STEPS)),
    Update("update of hybrid", ("model=hybrid", "model/sources=[ease,item_knn]", *STEPS[:2])),
)


@dataclass
class Round:
    """One round: which signals came when, and what the end was.

    Args:
        moments: seconds after the start at which each signal came.
        same: whether the end has made what the uninterrupted command has.
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
    chosen = [command for command in COMMANDS if not arguments.only or command.name in arguments.only]
    for command in chosen:
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            command.make(place / MADE)
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


def start(command: Command, place: Path) -> subprocess.Popen[str]:
    """Start the command in ``place``, or go on with it, with its output in a file there."""
    place.mkdir(exist_ok=True)
    script = ROOT / "scripts" / f"{command.script}.py"
    line = [sys.executable, "-W", "ignore", str(script), *command.to_go_on(place)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (place / "output.txt").open("a", encoding="utf-8") as output:
        return subprocess.Popen(line, cwd=place, stdout=output, stderr=subprocess.STDOUT, text=True, env=environment)


def finish(command: Command, place: Path) -> dict[str, str]:
    """Go on until the end; what it has made."""
    process = start(command, place)
    if process.wait() != 0:
        raise SystemExit(f"{command.name} failed:\n{(place / 'output.txt').read_text()[-3000:]}")
    return command.result(place)


def interrupted(
    command: Command, place: Path, number: signal.Signals, whole: float, drawn: random.Random, expected: dict[str, str]
) -> Round:
    """Interrupt a command at random moments, and go on."""
    moments = []
    for _ in range(drawn.randint(1, MAX_INTERRUPTIONS)):
        process = start(command, place)
        moment = drawn.uniform(0, whole)
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.wait()
            moments.append(moment)
            if number == signal.SIGINT and "Traceback" in (place / "output.txt").read_text():
                raise SystemExit(f"a traceback after Ctrl-C:\n{(place / 'output.txt').read_text()[-3000:]}") from None
        if command.is_finished(place):
            break
    found = command.result(place) if command.is_finished(place) else finish(command, place)
    left = [path.name for path in place.rglob("*.partial")] + [path.name for path in place.rglob(".lock")]
    return Round(moments, found == expected, left if number == signal.SIGINT else [])


def all_finished(place: Path, wanted: int) -> bool:
    """Whether so many runs came to their end, and no other was begun."""
    configs = list((place / "runs").glob("*/config.yaml"))
    return len(configs) == wanted and all((path.parent / "run.json").is_file() for path in configs)


def metrics_of(*places: Path) -> dict[str, str]:
    """The metrics of each run, as text, by the name of its model."""
    found = {}
    for path in sorted(path for place in places for path in place.glob("*/metrics.json")):
        name = path.parent.name.split("_", 2)[2]
        found[name] = json.dumps(json.loads(path.read_text(encoding="utf-8")))
    return found


if __name__ == "__main__":
    main()
