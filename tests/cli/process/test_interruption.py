from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from recsys.cli.process.interruption import _LOOK_SECONDS, INTERRUPTED_STATUS, interruptible, interrupts_wait


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)  # the interrupt ends it


def test_an_interrupt_is_one_line_and_its_status(capsys):
    with pytest.raises(SystemExit) as end, interruptible():
        interrupt()
    assert end.value.code == INTERRUPTED_STATUS == 130
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_what_a_library_makes_of_it_counts_as_interrupted(capsys):
    with pytest.raises(SystemExit) as end, interruptible():
        try:
            interrupt()
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None
    assert end.value.code == INTERRUPTED_STATUS
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_one_that_is_lost_in_the_end_of_an_object_is_raised_again(capsys):
    class Ends:
        def __del__(self) -> None:
            interrupt()

    with pytest.raises(SystemExit) as end, interruptible():
        Ends()
        time.sleep(5)
    assert end.value.code == INTERRUPTED_STATUS
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_one_waits_for_the_end_of_a_block_that_says_so(capsys):
    done = []
    with pytest.raises(SystemExit) as end, interruptible(), interrupts_wait():
        with interrupts_wait():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("inner")
        done.append("outer")
    assert end.value.code == INTERRUPTED_STATUS and done == ["inner", "outer"]
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_one_that_a_library_swallows_comes_again(capsys):
    with pytest.raises(SystemExit) as end, interruptible():
        try:
            interrupt()
        except BaseException:
            pass
        time.sleep(5)
    assert end.value.code == INTERRUPTED_STATUS
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_what_takes_long_to_unwind_is_not_interrupted_again(capsys):
    unwound = []
    with pytest.raises(SystemExit), interruptible():
        try:
            interrupt()
        except KeyboardInterrupt:
            try:
                raise ValueError("in between")
            except ValueError:
                time.sleep(3 * _LOOK_SECONDS)
                unwound.append(True)
            raise
        finally:
            time.sleep(3 * _LOOK_SECONDS)
            unwound.append(True)
    assert unwound == [True, True]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_command_inside_a_command_says_it_once(capsys):
    with pytest.raises(SystemExit) as end, interruptible(), interruptible():
        interrupt()
    assert end.value.code == INTERRUPTED_STATUS
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_other_ends_stay_as_they_are():
    before = signal.getsignal(signal.SIGINT)
    for error in (SystemExit(2), ValueError("a bug")):
        with pytest.raises(type(error)) as raised, interruptible():
            raise error
        assert raised.value is error
    assert signal.getsignal(signal.SIGINT) is before


def test_where_interrupts_are_ignored_they_still_are():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_second_interrupt_does_not_wait():
    program = (
        "import os, signal, time\n"
        "from recsys.cli.process.interruption import interruptible\n"
        "with interruptible():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT); time.sleep(1200)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT); time.sleep(1200)\n"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=600)
    assert (process.returncode, process.stderr) == (INTERRUPTED_STATUS, b"")
