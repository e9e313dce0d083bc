"""Draws what a terminal shows when a command has ended, as an SVG picture.

``python benchmarks/terminal_picture.py --output demo.svg --begin "epoch 22" --lines 23 python scripts/train.py``
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import pyte

COLUMNS, MAX_LINES = 96, 400
WIDTH, HEIGHT, MARGIN = 8.4, 19, 18  # of a sign, of a line and around them, in pixels

#: Colours on a dark ground, by pyte's names.
COLOURS = {
    "black": "#6e7681",
    "red": "#ff7b72",
    "green": "#56d364",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#e6edf3",
    "default": "#e6edf3",
}


def shown(command: Sequence[str]) -> pyte.Screen:
    """The screen of a terminal, as long as it needs to be, after a command.

    Raises:
        SystemExit: the command failed.
    """
    screen = pyte.Screen(COLUMNS, MAX_LINES)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES="40")
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    while True:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the command has closed its side
            break
        if not data:
            break
        stream.feed(data)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}.")
    return screen


def svg(screen: pyte.Screen, title: str, begin: str = "", num_lines: int = MAX_LINES) -> str:
    """The lines that have something on them, from the first one that begins so, and not more of them."""
    used = [number for number, line in enumerate(screen.display) if line.strip()]
    first = next((number for number in used if screen.display[number].startswith(begin)), 0)
    lines = [_line(screen, number) for number in range(first, min(used[-1] + 1, first + num_lines))]
    width, height = COLUMNS * WIDTH + 2 * MARGIN, (len(lines) + 2) * HEIGHT + 2 * MARGIN
    prompt = f'<text class="t" x="{MARGIN}" y="{MARGIN + 12}"><tspan fill="#56d364">$ </tspan>{escape(title)}</text>'
    rows = "".join(
        f'<text class="t" x="{MARGIN}" y="{MARGIN + 12 + (number + 1) * HEIGHT}">{line}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="{escape(title)} in a terminal">'
        "<style>.t{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3;"
        "white-space:pre}</style>"
        f'<rect width="100%" height="100%" rx="10" fill="#0d1117"/>{prompt}{rows}</svg>\n'
    )


def _line(screen: pyte.Screen, number: int) -> str:
    """Runs of one style, each at its column, so that another font keeps tables straight."""
    signs = [screen.buffer[number][column] for column in range(COLUMNS)]
    parts, column = [], 0
    for (colour, bold), run in groupby(signs, key=lambda sign: (sign.fg, sign.bold)):
        text = "".join(sign.data for sign in run)
        if text.strip():
            weight = ' font-weight="700"' if bold else ""
            fill = COLOURS.get(colour, f"#{colour}")
            left = MARGIN + (column + len(text) - len(text.lstrip())) * WIDTH
            stripped = text.strip()
            parts.append(
                f'<tspan x="{left:.1f}" textLength="{len(stripped) * WIDTH:.1f}" fill="{fill}"{weight}>'
                f"{escape(stripped)}</tspan>"
            )
        column += len(text)
    return "".join(parts)


def main() -> None:
    """Run the command, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--title", help="what stands behind the prompt; else the command")
    parser.add_argument("--begin", default="", help="the first line that is drawn begins so")
    parser.add_argument("--lines", type=int, default=MAX_LINES, help="that are drawn, at most")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    screen = shown(options.command)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(
        svg(screen, options.title or " ".join(options.command), options.begin, options.lines), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
