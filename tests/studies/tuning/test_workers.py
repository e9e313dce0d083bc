from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from recsys.studies.tuning.workers import PREFIX, WorkerProcess, Workers


class Attributes:
    """Those of a study, in memory."""

    def __init__(self) -> None:
        self.user_attrs: dict[str, object] = {}

    def set_user_attr(self, key: str, value: object) -> None:
        self.user_attrs[key] = value


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


ELSEWHERE = {"machine": "another", "process": 1, "started": 2, "left": False}


class TestProcess:
    def test_this_one_runs(self):
        assert WorkerProcess.current().runs() is True

    def test_one_that_was_killed_does_not(self):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            process = replace(WorkerProcess.current(), process=child.pid, started=WorkerProcess.current().started)
            assert process.runs() is False  # another process has its number by now, which started later
            child.kill()
            child.wait()
            assert process.runs() is False

    def test_a_zombie_does_not_run(self):
        with subprocess.Popen([sys.executable, "-c", ""]) as child:
            deadline = time.monotonic() + 60
            while WorkerProcess(WorkerProcess.current().machine, child.pid, -2).runs() is None:
                assert time.monotonic() < deadline
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            assert WorkerProcess(WorkerProcess.current().machine, child.pid, 5).runs() is False

    @pytest.mark.parametrize("machine", ["", "another"])
    def test_of_another_machine_nothing_is_known(self, machine):
        assert replace(WorkerProcess.current(), machine=machine).runs() is None


def test_a_worker_elsewhere_is_lost_when_its_signs_stop():
    study, clock = Attributes(), Clock()
    workers = Workers(study, lost_after_seconds=60, clock=clock)
    for signs in range(3):  # as many as it likes, as long as they come
        study.user_attrs[f"{PREFIX}b"] = {**ELSEWHERE, "signs": signs}
        assert not workers.is_lost("b")
        clock.now += 59
        assert workers.others() == {"b"}
    clock.now += 1
    assert workers.is_lost("b")
    assert workers.others() == set()
    study.user_attrs[f"{PREFIX}b"] = {**ELSEWHERE, "signs": 9}
    assert not workers.is_lost("b")


def test_a_worker_of_this_machine_lives_as_long_as_its_process():
    study, clock = Attributes(), Clock()
    workers, other = Workers(study, 60, clock), Workers(study, 60, clock)
    with other.present():
        assert workers.others() == {other.name}
        clock.now += 1000
        assert not workers.is_lost(other.name)
        noted = study.user_attrs[f"{PREFIX}{other.name}"]
        study.user_attrs[f"{PREFIX}dead"] = {**noted, "started": noted["started"] + 1}
        assert workers.is_lost("dead")
    assert workers.is_lost(other.name)


def test_one_that_is_not_known_is_lost():
    assert Workers(Attributes(), 60).is_lost("nobody")


def test_signs_go_on_while_it_is_present():
    study = Attributes()
    workers = Workers(study, lost_after_seconds=0.05)
    with workers.present():
        deadline = time.monotonic() + 60
        while study.user_attrs[f"{PREFIX}{workers.name}"]["signs"] < 4:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    assert study.user_attrs[f"{PREFIX}{workers.name}"]["left"]


def test_a_storage_that_is_away_for_a_moment_does_no_harm():
    study = Attributes()
    workers = Workers(study, lost_after_seconds=0.05)
    keep, away = study.set_user_attr, []

    def refuse(key, value):
        away.append(key)
        raise OSError("away")

    with workers.present():
        study.set_user_attr = refuse
        deadline = time.monotonic() + 60
        while len(away) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        study.set_user_attr = keep
    assert study.user_attrs[f"{PREFIX}{workers.name}"]["left"]
