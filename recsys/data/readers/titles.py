"""Titles that end in a year."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def split_year(titles: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Split titles such as ``Heat (1995)`` into title and year; of a range of years the first is taken.

    A suffix after the year, such as ``(V)`` for a video, is removed too. A title without a year stays as it is.
    """
    pattern = r"^(?P<title>.*\S)\s*\((?P<year>\d{4})(?:\s*[-\x{2013}]\s*(?:\d{4})?)?\)(?:\s*\([A-Z]+\))?\s*$"
    parts = pc.extract_regex(titles, pattern)
    title = pc.coalesce(pc.struct_field(parts, "title"), pc.utf8_trim_whitespace(titles))
    return title, pc.struct_field(parts, "year").cast(pa.int64())
