from __future__ import annotations

import io
import signal

import pytest

from recsys.cli.console import FILE_WIDTH, PlainConsole, console
from recsys.cli.process.interruption import interruptible
from recsys.cli.text_table import TextTable
from tests.cli.hostile import CONTROL, PLAIN, SHOWN, assert_as_it_is


def printed(*objects: object, terminal: bool = False, width: int = 100) -> str:
    stream = io.StringIO()
    PlainConsole(file=stream, width=width, force_terminal=terminal).print(*objects)
    return stream.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("text", PLAIN)
def test_markup_emoji_codes_and_numbers_are_text(text, terminal):
    assert printed(f"{text} 12 'a' runs/b", terminal=terminal) == f"{text} 12 'a' runs/b\n"


@pytest.mark.parametrize(("text", "shown"), [*zip(CONTROL, SHOWN, strict=True)])
def test_nothing_in_a_string_controls_the_terminal(text, shown):
    text, shown = text.replace("\n", "").replace("\t", ""), shown.replace(r"\n", "").replace(r"\t", "")
    assert_as_it_is(printed(text, terminal=True), (shown,))


def test_lines_stay_whole_in_a_file_and_are_broken_between_words_on_a_terminal():
    line = "one two three " * 10
    assert printed(line) == f"{line}\n"
    assert len(printed(line, terminal=True).splitlines()) == 2


def test_a_table_in_a_file_keeps_its_width():
    table = TextTable("a")
    table.add_row("x " * 100)
    assert max(map(len, printed(table).splitlines())) <= 100
    assert console.is_terminal or console.width == FILE_WIDTH


def test_when_nobody_reads_the_command_ends_and_has_its_last_word_on_standard_error(capfd, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    dropped = []
    monkeypatch.setattr("recsys.cli.console.drop_output", lambda: dropped.append(True))
    broken = PlainConsole(file=Closed(), width=100)
    with pytest.raises(SystemExit) as end:
        broken.print("first")
    assert (end.value.code, dropped) == (141, [True])
    broken.print("not finished")
    assert capfd.readouterr().err == "not finished\n"


def test_a_command_is_broken_on_a_narrow_terminal_alone():
    for terminal, lines in (
        (True, ["  recsys recommend \\", "    run=runs/a-long-name \\", "    'user=a b'"]),
        (False, ["  recsys recommend run=runs/a-long-name 'user=a b'"]),
    ):
        stream = io.StringIO()
        PlainConsole(file=stream, width=30, force_terminal=terminal).print_command(
            "recsys recommend run=runs/a-long-name 'user=a b'", indent="  "
        )
        assert stream.getvalue().splitlines() == lines


class Interrupting(io.StringIO):
    """Ctrl-C comes with what is written first, before the writer knows that it is written."""

    def write(self, text: str) -> int:
        first, length = not self.getvalue(), super().write(text)
        if first:
            signal.raise_signal(signal.SIGINT)
        return length


def test_a_line_that_is_printed_when_ctrl_c_comes_is_there_once():
    stream = Interrupting()
    printing = PlainConsole(file=stream, width=80, force_terminal=True)
    with pytest.raises(SystemExit), interruptible():
        try:
            printing.print("epoch 1/30")
        except KeyboardInterrupt:
            printing.print("not finished")
            raise
    assert stream.getvalue().splitlines() == ["epoch 1/30", "not finished"]
    signal.signal(signal.SIGINT, signal.default_int_handler)
