"""Changes that wait reach the store once, whatever is killed on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from recsys_serving.spool.applying import apply_command, apply_together
from recsys_serving.spool.commands import interaction_command, user_command
from recsys_serving.spool.spool import Spool

from tests.serving.store.moments import minutes, watched

ROOT = Path(__file__).parents[3]

DRAINER = """
import sys
from pathlib import Path
from recsys_serving.spool.applying import apply_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.store import Store

store = Store.connect(sys.argv[2])
taken = []

def apply(command):
    apply_command(store, command)
    taken.append(command)
    if len(taken) == int(sys.argv[3]):
        print("here", flush=True)
        sys.stdin.read()

Spool(Path(sys.argv[1])).drain(apply, batch=10, transaction=store.transaction)
"""


def drain_and_kill(path: Path, url: str, after: int, drainer: str = DRAINER) -> None:
    """Drain in a process of its own that is killed where it waits."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'serving'}"}
    command = [sys.executable, "-c", drainer, str(path), url, str(after)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, cwd=ROOT, **pipes) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)


def test_interactions_are_stored_once_each_though_drains_are_killed(store, database_url, tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    interactions = [watched(f"e{n:03d}", f"u{n % 3}", str(n), occurred_at=minutes(n)) for n in range(400)]
    spool.append([interaction_command(one) for one in interactions])
    for after in (15, 33):  # in the middle of a batch, which is rolled back
        drain_and_kill(spool._path, database_url, after)
    assert len(spool) == 400 - 10 - 30
    result = spool.drain(lambda command: apply_command(store, command), transaction=store.transaction)
    assert (result.refused, result.remaining, result.leader) == (0, 0, True)
    stored = [store.users.export(f"u{n}").interactions for n in range(3)]
    assert sorted(one.event_id for user in stored for one in user) == [one.event_id for one in interactions]
    spool.close()


def test_the_state_of_a_user_is_that_of_the_last_change_in_order(store, tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append([user_command("ada", {"age": number}) for number in range(25)])
    spool.drain(lambda command: apply_command(store, command), batch=4, transaction=store.transaction)
    assert store.users.get("ada").properties == {"age": 24}
    spool.close()


TOGETHER = """
import sys
from pathlib import Path
from recsys_serving.spool.applying import apply_command, apply_together
from recsys_serving.spool.spool import Spool
from recsys_serving.store.store import Store

store = Store.connect(sys.argv[2])
spool = Spool(Path(sys.argv[1]))
remove, removed = spool._remove, []

def wait_before_removing(done):
    if len(removed) == int(sys.argv[3]):
        print("here", flush=True)
        sys.stdin.read()
    removed.append(done)
    remove(done)

spool._remove = wait_before_removing
spool.drain(
    lambda command: apply_command(store, command),
    batch=50,
    transaction=store.transaction,
    together=lambda commands: apply_together(store, commands),
)
"""


def test_a_batch_that_was_committed_and_not_taken_out_is_stored_once(store, database_url, tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    interactions = [watched(f"e{n:03d}", f"u{n % 3}", str(n), occurred_at=minutes(n)) for n in range(400)]
    spool.append([interaction_command(one) for one in interactions])
    for after in (0, 2):
        drain_and_kill(spool._path, database_url, after, TOGETHER)
    assert len(spool) == 400 - 100
    result = spool.drain(
        lambda command: apply_command(store, command),
        transaction=store.transaction,
        together=lambda commands: apply_together(store, commands),
    )
    assert (result.applied, result.refused, result.remaining) == (300, 0, 0)
    stored = [store.users.export(f"u{n}").interactions for n in range(3)]
    assert sorted(one.event_id for user in stored for one in user) == [one.event_id for one in interactions]
    spool.close()
