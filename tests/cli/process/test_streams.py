from __future__ import annotations

import io
import subprocess
import sys

import pytest

from recsys.cli.process import streams

PROGRAM = """
from recsys.cli.command import command_process
from recsys.cli.console import console

with command_process():
    for number in range({lines}):
        console.print("Amélie ☕ \\ud800", number)
"""


def test_a_stream_takes_what_its_encoding_has_not(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    streams.ready_streams()
    sys.stdout.write("Amélie\n")
    streams.flush_output()
    assert raw.getvalue() == b"Am\\xe9lie\n"


def test_a_stream_that_was_closed_drops_what_it_gets(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    streams.ready_streams()
    with sys.stdout, sys.stderr:
        assert sys.stdout.write("a") == sys.stderr.write("b") == 1
        streams.flush_output()


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LANG": "C"}])
def test_an_ascii_terminal_is_printed_to(variables):
    process = subprocess.run([sys.executable, "-c", PROGRAM.format(lines=1)], env=variables, capture_output=True)
    assert (process.returncode, process.stderr) == (0, b"")
    assert process.stdout.startswith(b"Am")


def test_a_reader_that_goes_ends_the_command_without_a_word():
    command = [sys.executable, "-c", PROGRAM.format(lines=100_000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"Am")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == streams.CLOSED_OUTPUT_STATUS


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_error(closed):
    command = f"\"{sys.executable}\" -c '{PROGRAM.format(lines=1)}' {closed}"
    process = subprocess.run(["bash", "-c", command], capture_output=True)
    assert (process.returncode, process.stderr) == (0, b"")
