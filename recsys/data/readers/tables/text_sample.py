"""The beginning of a text file: what its format is recognised by."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

#: Bytes that are looked at.
_SAMPLE_BYTES = 1 << 18
#: A first line that is longer than this is no header and no row of a table.
_MAX_LINE_BYTES = 1 << 20
#: Lines that are looked at.
_SAMPLE_LINES = 200

#: The first line that Excel writes where the separator is not that of the reader's language.
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<separator>.)"?[ ,;\t]*', re.IGNORECASE)

#: Byte order marks, the longest first, and the encodings that read them.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class TextSample:
    """The first lines of a file.

    Args:
        lines: those that are not blank, at least one.
        encoding: the one that they were read with.
        old_line_ends: whether lines end in a carriage return alone, as on old Macs.
        said_separator: what a first line such as ``sep=;``, as Excel writes it, says of the separator; it is not among
            the lines. None where there is no such line.
    """

    lines: Sequence[str]
    encoding: str
    old_line_ends: bool
    said_separator: str | None = None


def read_sample(file: RawFile, encoding: str | None = None) -> TextSample:
    """Read the beginning of a file.

    Args:
        file: the file.
        encoding: that of the text; None: what the byte order mark says, and UTF-8 where there is none.

    Raises:
        DataError: the file is empty or no text in its encoding, its first line has no end, or there is no such
            encoding.
        SourceError: the file cannot be read.
    """
    with file.open() as stream:
        content = stream.read(_SAMPLE_BYTES)
        if content and not _whole_lines(content):
            content += stream.read(_MAX_LINE_BYTES - _SAMPLE_BYTES)
        is_whole = not stream.read(1)
    encoding = check_encoding(encoding) if encoding is not None else _marked(content)
    text = _decoded(file, content, encoding)
    lines = re.split(r"\r\n|\n|\r", text)
    if not is_whole:
        lines.pop()  # it may go on
    lines = [line for line in lines if line.strip()][:_SAMPLE_LINES]
    said = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if said:
        lines.pop(0)
    if not lines and not is_whole:
        raise DataError(
            f"{file} has a first line of more than {_MAX_LINE_BYTES >> 20} MB, so it is no table of rows. Check that "
            "it is the right file, and that its lines end in line breaks."
        )
    if not lines:
        raise DataError(f"{file} is empty; at least one row is needed. Check that it is the right file.")
    return TextSample(lines, encoding, "\r" in text and "\n" not in text, said["separator"] if said else None)


def check_encoding(encoding: str) -> str:
    """The encoding as Python spells it.

    Raises:
        DataError: there is none of that name, or it is none of text.
    """
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except LookupError:
        raise DataError(
            f"data.encoding must be an encoding of text, such as utf-8, latin-1, cp1252 or utf-16, but is {encoding!r}."
        ) from None
    return name


def _marked(content: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")


def _whole_lines(content: bytes) -> bool:
    return b"\n" in content or b"\r" in content


def _decoded(file: RawFile, content: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
    try:
        # The sample may end inside a character, so the decoder is not told that this is the end.
        return decoder.decode(content)
    except UnicodeError:
        raise DataError(encoding_message(file, encoding)) from None


def encoding_message(file: RawFile, encoding: str) -> str:
    """What to say of a file that is no text in ``encoding``: its first line that is not, and the setting."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with file.open() as stream:
        for number, line in enumerate(stream, start=1):
            try:
                decoder.decode(line)
            except UnicodeError:
                shown = line.strip()[:60]
                hint = (
                    "It has zero bytes, as UTF-16 has: set data.encoding=utf-16-le"
                    if b"\0" in shown
                    else "Set data.encoding to what the file was written with, such as data.encoding=latin-1, cp1252 "
                    "(Western Windows) or utf-16"
                )
                return (
                    f"{file} must be text in {encoding}, but line {number:,} is not: {shown!r}. {hint}; or convert the "
                    "file to UTF-8."
                )
    return f"{file} must be text in {encoding}, but it is not. Set data.encoding, such as data.encoding=latin-1."
