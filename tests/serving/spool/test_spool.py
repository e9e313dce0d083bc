from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.errors import SpoolError, SpoolFull
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import Conflict, StoreUnavailable

ROOT = Path(__file__).parents[3]


def command(command_id: str, user_id: str | None = "ada", **payload) -> SpoolCommand:
    return SpoolCommand(command_id, "user_put", payload, user_id)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var" / "spool.sqlite"


@pytest.fixture
def spool(path):
    spool = Spool(path)
    yield spool
    spool.close()


class Receiver:
    """Takes commands, and refuses some of them or all from a number on."""

    def __init__(self, refused=(), away_after=None):
        self.taken = []
        self.refused = refused
        self.away_after = away_after

    def __call__(self, command):
        if self.away_after is not None and len(self.taken) >= self.away_after:
            raise StoreUnavailable("away")
        if command.command_id in self.refused:
            raise Conflict(f"never {command.command_id}")
        self.taken.append(command.command_id)


def ids(commands):
    return [one.command_id for one in commands]


def test_what_was_appended_waits_in_order(spool):
    assert spool.is_empty()
    assert spool.append([command("b", age=1), command("a")]) == 2
    assert spool.append([command("c", "bob")]) == 1
    pending = spool.pending_for("ada")
    assert ids(pending) == ["b", "a"]
    assert (pending[0].kind, pending[0].payload, pending[0].user_id) == ("user_put", {"age": 1}, "ada")
    assert len(spool) == 3
    assert not spool.is_empty()
    assert spool.oldest_at() == pending[0].spooled_at


def test_a_command_that_waits_is_not_taken_again(spool):
    spool.append([command("a")])
    assert spool.append([command("a"), command("b")]) == 1
    assert ids(spool.pending_for("ada")) == ["a", "b"]


def test_commands_of_some_kinds_are_told(spool):
    spool.append(
        [SpoolCommand("1", "item_put", {}), SpoolCommand("2", "user_put", {}), SpoolCommand("3", "item_delete", {})]
    )
    assert ids(spool.pending_kinds(["item_put", "item_delete"])) == ["1", "3"]


def test_what_json_cannot_hold_is_refused_with_the_batch(spool):
    with pytest.raises(SpoolError, match="JSON"):
        spool.append([command("a"), command("b", value=float("nan"))])
    assert spool.is_empty()


def test_another_process_sees_what_was_appended(spool, path):
    spool.append([command("a")])
    other = Spool(path)
    assert ids(other.pending_for("ada")) == ["a"]
    other.close()


def test_several_may_open_a_new_spool_at_once(path):
    barrier = threading.Barrier(8)

    def open_and_append(number):
        barrier.wait()
        spool = Spool(path)
        spool.append([command(str(number))])
        spool.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_append, range(8)))
    spool = Spool(path)
    assert len(spool) == 8
    spool.close()


def test_only_its_owner_can_read_the_file(spool, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_commits_reach_the_disk(spool):
    assert spool._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_drain_carries_out_everything_in_order(spool):
    spool.append([command(str(n)) for n in range(25)])
    receiver = Receiver()
    result = spool.drain(receiver, batch=10)
    assert receiver.taken == [str(n) for n in range(25)]
    assert (result.applied, result.refused, result.remaining, result.leader) == (25, 0, 0, True)
    assert spool.oldest_at() is None


def test_a_drain_of_nothing_does_nothing(spool):
    assert spool.drain(Receiver()).applied == 0


def test_a_drain_stops_where_the_store_is_away_and_goes_on_later(spool):
    spool.append([command(str(n)) for n in range(10)])
    first = Receiver(away_after=4)
    result = spool.drain(first, batch=3)
    assert (result.applied, result.remaining) == (4, 6)
    second = Receiver()
    spool.drain(second)
    assert first.taken + second.taken == [str(n) for n in range(10)]


def test_a_command_that_the_store_does_not_manage_waits_and_the_others_do_not(spool):
    spool.append([SpoolCommand(str(n), "user_put", {}, user_id=str(n)) for n in range(10)])

    def apply(one):
        if one.command_id == "1":
            raise StoreUnavailable("too slow")

    result = spool.drain(apply, batch=3, is_alive=lambda: True)
    assert (result.applied, result.remaining) == (9, 1)
    assert [one.command_id for one in spool.pending_for("1")] == ["1"]
    assert spool.drain(Receiver()).applied == 1


def test_a_command_that_is_refused_is_kept_and_the_next_ones_follow(spool):
    spool.append([command(str(n), size=n) for n in range(4)])
    receiver = Receiver(refused={"1", "2"})
    result = spool.drain(receiver)
    assert (result.applied, result.refused, result.remaining) == (2, 2, 0)
    assert receiver.taken == ["0", "3"]
    letters = spool.dead_letters()
    assert [(letter.command.command_id, letter.command.payload, letter.error) for letter in letters] == [
        ("2", {"size": 2}, "never 2"),
        ("1", {"size": 1}, "never 1"),
    ]
    assert spool.num_dead_letters() == 2


def test_dead_letters_are_tried_again_where_asked_for(spool):
    spool.append([command("a"), command("b")])
    spool.drain(Receiver(refused={"a", "b"}))
    assert spool.requeue_dead_letters() == 2
    receiver = Receiver()
    spool.drain(receiver)
    assert receiver.taken == ["a", "b"]
    assert spool.dead_letters() == ()


def test_a_transaction_that_fails_leaves_the_batch(spool):
    spool.append([command(str(n)) for n in range(4)])

    @contextmanager
    def failing():
        yield
        raise StoreUnavailable("commit failed")

    assert spool.drain(Receiver(), batch=2, transaction=failing).remaining == 4
    receiver = Receiver()
    spool.drain(receiver)
    assert receiver.taken == ["0", "1", "2", "3"]


def test_an_error_that_nobody_expects_leaves_what_was_not_removed(spool):
    spool.append([command("a"), command("b")])
    with pytest.raises(KeyError):
        spool.drain(lambda command: {}[command.command_id])
    assert ids(spool.pending_for("ada")) == ["a", "b"]
    assert spool.drain(Receiver()).leader


def test_one_process_drains_and_others_append_meanwhile(spool, path):
    spool.append([command("a")])
    with FileLock(path.with_name(path.name + ".leader")):
        result = spool.drain(Receiver())
        assert (result.leader, result.applied, result.remaining) == (False, 0, 1)
        assert spool.append([command("b")]) == 1
    assert spool.drain(Receiver()).applied == 2


def test_what_is_appended_during_a_drain_is_drained_too(spool):
    spool.append([command("a")])
    taken = []

    def apply(one):
        taken.append(one.command_id)
        if one.command_id == "a":
            spool.append([command("b")])

    spool.drain(apply)
    assert taken == ["a", "b"]


def test_threads_append_and_drain_at_once_and_everything_arrives_once(spool):
    receiver = Receiver()
    stop = threading.Event()

    def drain():
        while not stop.is_set():
            spool.drain(receiver, batch=7)

    drainer = threading.Thread(target=drain)
    drainer.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: spool.append([command(f"{n}-{k}") for k in range(3)]), range(30)))
    stop.set()
    drainer.join()
    spool.drain(receiver)
    assert sorted(receiver.taken) == sorted(f"{n}-{k}" for n in range(30) for k in range(3))
    for n in range(30):
        assert [one for one in receiver.taken if one.startswith(f"{n}-")] == [f"{n}-{k}" for k in range(3)]


def test_a_user_is_discarded_and_leaves_no_trace_in_the_files(spool, path):
    spool.append([command("1", "secret-user"), command("2", "secret-user"), command("3", "bob")])
    spool.drain(Receiver(refused={"1"}, away_after=0))
    assert spool.discard_user("secret-user") == 2
    assert len(spool) + spool.num_dead_letters() == 1
    spool.drain(Receiver())
    files = [path, path.with_name(path.name + "-wal")]
    assert not any(b"secret-user" in file.read_bytes() for file in files if file.exists())


def test_a_full_spool_says_so_and_takes_more_after_a_drain(path):
    spool = Spool(path, max_bytes=600_000)
    taken = 0
    with pytest.raises(SpoolFull, match=r"largest size of 600,000 bytes.*Bring the store back"):
        for number in range(2000):
            spool.append([command(str(number), text="x" * 1000)])
            taken += 1
    assert len(spool) == taken
    assert path.stat().st_size <= 600_000
    receiver = Receiver()
    spool.drain(receiver)
    assert receiver.taken == [str(n) for n in range(taken)]
    assert spool.append([command("again")]) == 1
    assert spool.size_bytes() < 600_000
    spool.close()


def test_a_full_spool_can_keep_what_is_refused(path):
    spool = Spool(path, max_bytes=600_000)
    with pytest.raises(SpoolFull):
        for number in range(2000):
            spool.append([command(str(number), text="x" * 1000)])
    number = len(spool)
    result = spool.drain(Receiver(refused={str(n) for n in range(number)}), batch=10)
    assert (result.refused, spool.num_dead_letters()) == (number, number)
    spool.close()


def test_a_file_of_something_else_is_an_error(path):
    path.parent.mkdir()
    path.write_text("this is no database, however long it is" * 100, encoding="utf-8")
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(path)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(tmp_path / "file" / "spool.sqlite")


def test_a_file_that_is_locked_for_too_long_is_told(path):
    spool = Spool(path, busy_timeout_seconds=0.02)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SpoolError, match="locked"):
        spool.append([command("a")])
    other.execute("ROLLBACK")
    assert spool.append([command("a")]) == 1
    other.close()
    spool.close()
