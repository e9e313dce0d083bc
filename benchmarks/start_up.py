"""Seconds of processor time until the first line of each command.

::

    python benchmarks/start_up.py

Makes a small run and a bundle of it in a directory of its own, then starts each command and ends it at the first line
that it prints, on standard output or standard error: until there a user sees nothing. The time is that of its process
and of those that it has started, user and system together. The least of several turns counts, as other processes that
keep the machine busy make each longer.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from results_file import write_results

ROOT = Path(__file__).parents[1]
DATA = ("data=synthetic", "data.num_users=200", "data.num_items=200", "data.num_interactions=3000")
TRAINING = (*DATA, "trainer.accelerator=cpu", "tracking=none", "evaluation.bootstrap_samples=10")
EPOCH = "trainer.max_epochs=1"
#: What can be read of a server that does not run: its error is the first line.
NO_SERVER = "url=127.0.0.1:9"


@dataclass(frozen=True)
class Start:
    """A command whose first line is waited for.

    Args:
        name: of the command, such as ``train``.
        arguments: after it; ``RUN``, ``OTHER`` and ``BUNDLE`` are those that were made for it, ``NEW`` is what is not
            there yet.
    """

    name: str
    arguments: tuple[str, ...]


STARTS = (
    Start("train", ("model=ease", *TRAINING)),
    Start("train", ("model=mf", *TRAINING, EPOCH)),
    Start("train", ("model=two_tower", *TRAINING, EPOCH)),
    Start("train", ("-m", "model=ease", "seed=1,2", *TRAINING)),
    Start("train", ("--help",)),
    Start("train", ("modle=ease",)),
    Start("prepare", DATA),
    Start("evaluate", ("run=RUN",)),
    Start("recommend", ("run=RUN", "user=u1")),
    Start("recommend", ("bundle=BUNDLE", "user=u1")),
    Start("recommend_all", ("run=RUN", "output=NEW.csv")),
    Start("recommend_all", ("bundle=BUNDLE", "output=NEW.parquet")),
    Start("similar", ("run=RUN", "item=i1")),
    Start("tune", ("model=ease", *TRAINING, "trials=1")),
    Start("benchmark_models", (*TRAINING, "minutes=0.5")),
    Start("compare", ("RUN", "OTHER")),
    Start("cross_validate", ("model=ease", *TRAINING, "folds=2")),
    Start("cold_start", ("model=content", *TRAINING)),
    Start("evaluate_pipeline", ("run=RUN",)),
    Start("elicit", ("run=RUN",)),
    Start("simulate_elicitation", (*TRAINING, "model=user_knn")),
    Start("export", ("run=RUN", "output=NEW")),
    Start("export_triton", ("bundle=BUNDLE", "output=NEW")),
    Start("triton_server", ("action=status",)),
    Start("query_triton", ("user=u1", NO_SERVER)),
    Start("update_items", ("table=missing.csv",)),
    Start("serve", ("action=status",)),
    Start("simulate", ("url=http://127.0.0.1:9", "key=none")),
    Start("retrain", ("url=http://127.0.0.1:9", "key=none")),
    Start("promote", ("version=1",)),
)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--only", nargs="*", help="names of some commands")
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    rows = ["| command | seconds | its first line |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        made = made_for(place)
        for place_in_table, start in enumerate(STARTS):
            if arguments.only and start.name not in arguments.only:
                continue
            found = [
                first_line(start.name, words(start, {**made, "NEW": f"new_{place_in_table}_{turn}"}), place)
                for turn in range(arguments.turns)
            ]
            seconds, line = min(found)
            told = " ".join(word for word in start.arguments if word not in TRAINING)
            rows.append(f"| `{start.name} {told}` | {seconds:.1f} | {line[:60]} |")
            sys.stdout.write(f"{rows[-1]}\n")
            sys.stdout.flush()
    write_results("\n".join([*rows, ""]), arguments.output)


def words(start: Start, made: dict[str, str]) -> list[str]:
    """The arguments of a command with the names of what was made."""
    found = list(start.arguments)
    for name, path in made.items():
        found = [re.sub(rf"\b{name}\b", path, word) for word in found]
    return found


def made_for(place: Path) -> dict[str, str]:
    """Two runs and a bundle."""
    runs = [last_line(place, "train", "model=ease", *TRAINING, f"model.l2={l2}", "show_users=0") for l2 in (500, 100)]
    bundle = last_line(place, "export", f"run={runs[0]}", "output=bundle")
    return {"RUN": runs[0], "OTHER": runs[1], "BUNDLE": bundle}


def last_line(place: Path, name: str, *arguments: str) -> str:
    """What a command has made, as its last line says."""
    line = [sys.executable, str(ROOT / "scripts" / f"{name}.py"), *arguments]
    printed = subprocess.run(line, cwd=place, capture_output=True, text=True, check=True).stdout
    return printed.splitlines()[-1].partition(": ")[2]


def first_line(name: str, arguments: list[str], place: Path) -> tuple[float, str]:
    """Start a command, and end it at its first line.

    Returns:
        The seconds of processor time until then, and the line.
    """
    line = [sys.executable, str(ROOT / "scripts" / f"{name}.py"), *arguments]
    process = subprocess.Popen(
        line, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    first = next((text.strip() for text in process.stdout if text.strip()), "")
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has ended by itself
        pass
    process.stdout.close()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_utime + used.ru_stime, first


if __name__ == "__main__":
    main()
