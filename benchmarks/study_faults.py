"""Workers of a study are killed, or its database is: is a trial lost, run twice or left as running?

::

    python benchmarks/study_faults.py --rounds 2 --output benchmarks/results/study_faults.md

Two processes of ``scripts/tune.py`` share a study in a file of SQLite, in a journal and in a PostgreSQL server of its
own. One is killed by SIGKILL in the middle of a trial, or in the middle of writing: it is stopped until the storage
says that it is (its lock, its transaction), and killed then. The other one has to come to the end of all trials. Then a
third worker asks for two more. In further rounds both are killed, and PostgreSQL is killed and started again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import psycopg
from omegaconf import OmegaConf
from recsys_serving.local.embedded_postgres import postgres_status, start_postgres, stop_postgres
from results_file import write_results

from recsys.studies.tuning.slots import ATTEMPT, OVERRIDES, WORKER, slots
from recsys.studies.tuning.study_storage import URL_VARIABLE, StudyStorage

TUNE = Path(__file__).parents[1] / "scripts" / "tune.py"
SETTINGS = [
    *("data=synthetic", "data.num_users=200", "data.num_items=200", "data.num_interactions=3000"),
    *("split=leave_last_out", "trainer.accelerator=cpu", "evaluation.bootstrap_samples=20", "tracking=none"),
    *("evaluation.progress=false", "show_users=0", "model=mf", "trainer.max_epochs=6", "training.batch_size=128"),
]
#: Trials that the first two workers are asked for, and how many more the third is.
TRIALS, MORE = 8, 1
#: How often settings are tried again that have cost a worker, unless a command line says otherwise.
RETRIES = OmegaConf.load(TUNE.parents[1] / "configs" / "tune.yaml").retries
#: Longest time of a round's part; a worker that hangs is a failure.
_LIMIT_SECONDS = 600

TRIAL, WRITING, BOTH, DATABASE = "a trial", "writing", "a trial, both workers", "PostgreSQL killed, back after 3 s"

#: Faults of each storage, in the order of the table.
FAULTS = {
    "SQLite": (TRIAL, WRITING, BOTH),
    "journal": (TRIAL, WRITING, BOTH),
    "PostgreSQL": (TRIAL, WRITING, BOTH, DATABASE),
}


@dataclass(frozen=True)
class Place:
    """Where a study is.

    Args:
        name: in the table.
        url: for the workers.
        is_written_by: whether a process, which is stopped, has begun to write and has not finished.
        is_locked_by: whether a process, which is stopped, keeps all others from reading.
    """

    name: str
    url: str
    is_written_by: Callable[[int], bool]
    is_locked_by: Callable[[int], bool]

    @contextmanager
    def trials(self) -> Iterator[list[Any]]:
        """The trials that are stored now; none before there is a study."""
        os.environ[URL_VARIABLE] = self.url
        storage = StudyStorage.locate(None, Path(), "recsys").open(optuna)
        try:
            yield optuna.load_study(study_name=STUDY, storage=storage).get_trials(deepcopy=False)
        except KeyError:
            yield []
        finally:
            if isinstance(storage, optuna.storages.RDBStorage):
                storage.remove_session()
                storage.engine.dispose()


STUDY = "shared"


@dataclass
class Outcome:
    """What came of a round.

    Args:
        killed: whether it was done at the wanted moment.
        went_on: workers that came to their end though it was done.
        finished: trials with a result in the end.
        twice: settings that were measured to the end more than once.
        running: trials that are still said to run or to wait.
        repeated: attempts that were begun again.
        message: what is wrong with the rest, such as a traceback.
    """

    killed: bool
    went_on: int
    finished: int
    twice: int
    running: int
    repeated: int
    message: str

    def is_right(self) -> bool:
        """Whether nothing was lost, done twice or left."""
        return self.finished == TRIALS + MORE and not self.twice and not self.running and not self.message


def sqlite_place(directory: Path) -> Place:
    """A file of SQLite, whose writer has a lock on it and pages in the file that takes them back."""
    path = directory / "study.db"

    def is_locked_by(process: int) -> bool:
        inode = f":{path.stat().st_ino}" if path.is_file() else "none"
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return any(line[-4] == str(process) and line[-5] == "WRITE" and line[-3].endswith(inode) for line in lines)

    def is_written_by(process: int) -> bool:
        return is_locked_by(process) and Path(f"{path}-journal").is_file()

    return Place("SQLite", str(path), is_written_by, is_locked_by)


def journal_place(directory: Path) -> Place:
    """A journal, whose writer has made a link beside it."""
    path = directory / "study.journal"
    lock = Path(f"{path}.lock")

    def is_written_by(process: int) -> bool:
        with suppress(FileNotFoundError):  # another one's, which is given back in a moment
            before = lock.lstat()
            time.sleep(0.1)
            return lock.lstat().st_ino == before.st_ino and lock.lstat().st_mtime_ns == before.st_mtime_ns
        return False

    return Place("journal", str(path), is_written_by, is_written_by)


def postgres_place(directory: Path, number: int) -> Place:
    """A database of a server, which knows the transaction of each worker by the name that it has given itself."""
    url = start_postgres(directory, f"round{number}")

    def is_written_by(process: int) -> bool:
        with psycopg.connect(url) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'victim' AND backend_xid IS NOT NULL"
            ).fetchone()
        return found is not None

    return Place("PostgreSQL", url, is_written_by, is_written_by)


def start(place: Place, directory: Path, name: str, trials: int) -> subprocess.Popen[str]:
    """Start a worker, with its output in a file."""
    line = [sys.executable, "-W", "ignore", str(TUNE), *SETTINGS, f"trials={trials}", f"study_name={STUDY}"]
    environment = os.environ | {URL_VARIABLE: place.url, "PGAPPNAME": name, "OMP_NUM_THREADS": "1"}
    with (directory / f"{name}.txt").open("w", encoding="utf-8") as output:
        return subprocess.Popen(
            [*line, f"output={name}"],
            cwd=directory,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def kill_in_the_middle(
    place: Place, worker: subprocess.Popen[str], after: int, is_middle: Callable[[int], bool], pause: float
) -> bool:
    """Kill a worker once so many trials are finished and it is in the middle of what is asked; whether it was.

    Args:
        place: of the study.
        worker: the worker.
        after: finished trials.
        is_middle: whether a process, which is stopped, is in the middle.
        pause: seconds that it works between two looks.
    """
    until = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < until and worker.poll() is None:
        time.sleep(0.2)
        with suppress(Exception), place.trials() as trials:  # the workers are making the tables at the moment
            if sum(trial.state.is_finished() for trial in trials) >= after:
                break
    while time.monotonic() < until and worker.poll() is None:
        worker.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if is_middle(worker.pid):
            worker.kill()
            worker.wait()
            return True
        worker.send_signal(signal.SIGCONT)
        time.sleep(pause)
    return False


def measures(place: Place) -> Callable[[int], bool]:
    """Whether a process, which is stopped, is about a trial whose settings it has drawn."""

    def is_about(process: int) -> bool:
        if place.is_locked_by(process):
            return False
        with place.trials() as trials:
            return any(
                trial.state.name == "RUNNING"
                and f"-{process}-" in trial.user_attrs.get(WORKER, "")
                and OVERRIDES in trial.user_attrs
                for trial in trials
            )

    return is_about


def restart_postgres(directory: Path) -> bool:
    """Kill the server, and start it again after three seconds."""
    process = postgres_status(directory).pid
    assert process is not None, "it runs"
    os.kill(process, signal.SIGKILL)
    time.sleep(3)
    start_postgres(directory)
    return True


def one_round(place: Place, what: str, directory: Path, drawn: random.Random) -> Outcome:
    """Two workers, a fault, and a third worker."""
    workers = [start(place, directory, name, TRIALS) for name in ("victim", "second")]
    after = drawn.randint(1, TRIALS // 2)
    try:
        if what == DATABASE:
            while (count := _finished(place)) < after and all(worker.poll() is None for worker in workers):
                time.sleep(0.2)
            killed = count < TRIALS and restart_postgres(directory.parent / "postgres")
        else:
            # A write takes milliseconds, a trial some tenths of a second.
            is_middle, pause = (place.is_written_by, 0.005) if what == WRITING else (measures(place), 0.05)
            killed = kill_in_the_middle(place, workers[0], after, is_middle, pause)
            if what == BOTH:
                killed &= kill_in_the_middle(place, workers[1], after, is_middle, pause)
        statuses = [worker.wait(_LIMIT_SECONDS) for worker in workers]
        third = start(place, directory, "third", TRIALS + MORE)
        workers.append(third)
        statuses.append(third.wait(_LIMIT_SECONDS))
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
    return outcome(place, directory, killed, statuses)


def _finished(place: Place) -> int:
    with suppress(Exception), place.trials() as trials:  # the workers are making the tables at the moment
        return sum(trial.state.is_finished() for trial in trials)
    return 0


def outcome(place: Place, directory: Path, killed: bool, statuses: list[int]) -> Outcome:
    """What is stored after a round, and what is wrong with the rest."""
    with place.trials() as trials:
        pass
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    settings = Counter(json.dumps(trial.user_attrs[OVERRIDES], sort_keys=True) for trial in complete)
    wrong = [
        f"a traceback of {path.stem}" for path in directory.glob("*.txt") if "Traceback" in path.read_text("utf-8")
    ]
    if statuses[2] != 0:
        wrong.append(f"the third worker ended with status {statuses[2]}")
    table = directory / "third" / "trials.csv"
    rows = [row["trial"] for row in csv.DictReader(table.open(encoding="utf-8"))] if table.is_file() else []
    if rows != [str(number) for number in range(1, TRIALS + MORE + 1)]:
        wrong.append(f"trials.csv has {len(rows)} rows")
    there = slots(trials, RETRIES)
    wrong += [
        f"slot {place} ended as {slot.last.state.name}: {slot.error or 'no error'}"
        for place, slot in enumerate(there, start=1)
        if slot.is_finished and slot.last.state.name != "COMPLETE"
    ]
    return Outcome(
        killed=killed,
        went_on=statuses[:2].count(0),
        finished=sum(slot.last.state.name == "COMPLETE" for slot in there),
        twice=sum(count > 1 for count in settings.values()),
        running=sum(trial.state.name in ("RUNNING", "WAITING") for trial in trials),
        repeated=sum(trial.user_attrs.get(ATTEMPT, 0) > 0 for trial in trials),
        message=", ".join(wrong),
    )


def main() -> None:
    """Run the rounds, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="of each storage and fault")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=FAULTS, default=list(FAULTS), help="some storages")
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    drawn = random.Random(arguments.seed)
    lines = [
        "# Workers of a study are killed",
        "",
        f"`{shlex.join(['python', *sys.argv])}`",
        "",
        f"Two workers of `scripts/tune.py` share {TRIALS} trials. One is killed by SIGKILL, or both are, or their",
        f"database is and comes back; who is left goes on, and a third worker then asks for {MORE} more. Sums over the",
        "rounds of a row. *Killed in time*: in the middle of what the row says; *went on*: workers that came to their",
        f"end all the same; *finished*: trials with a result in the end, of {TRIALS + MORE} in each round; *twice*:",
        "settings that were measured to the end more than once; *running*: trials that are left as running or waiting;",
        "*begun again*: attempts of trials whose worker was lost.",
        "",
        "| storage | in the middle of | rounds | killed in time | went on | finished | twice | running | begun again |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    failed, number = False, 0
    with tempfile.TemporaryDirectory(prefix="study-faults-") as name:
        server = Path(name) / "postgres"
        for storage in arguments.only:
            for what in FAULTS[storage]:
                found = []
                for _ in range(arguments.rounds):
                    number += 1
                    directory = Path(name) / f"round{number}"
                    directory.mkdir()
                    if storage == "PostgreSQL":
                        place = postgres_place(server, number)
                    else:
                        place = (sqlite_place if storage == "SQLite" else journal_place)(directory)
                    one = one_round(place, what, directory, drawn)
                    found.append(one)
                    if not one.is_right() or not one.killed:
                        failed = True
                        sys.stdout.write(f"wrong: {one}\n")
                        for path in sorted(directory.glob("*.txt")):
                            sys.stdout.write(f"{path.stem}: ...{path.read_text('utf-8')[-600:]}\n")
                workers = 2 * len(found)
                lines.append(
                    f"| {storage} | {what} | {len(found)} | {sum(one.killed for one in found)} "
                    f"| {sum(one.went_on for one in found)} of {workers} "
                    f"| {sum(one.finished for one in found)} of {len(found) * (TRIALS + MORE)} "
                    f"| {sum(one.twice for one in found)} | {sum(one.running for one in found)} "
                    f"| {sum(one.repeated for one in found)} |"
                )
                sys.stdout.write(f"{lines[-1]}\n")
                sys.stdout.flush()
                write_results("\n".join([*lines, ""]), arguments.output)
        stop_postgres(server)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
