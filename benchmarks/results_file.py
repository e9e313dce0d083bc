"""Writes the results of a benchmark where ``--output`` says."""

from __future__ import annotations

from pathlib import Path


def write_results(text: str, output: Path | None) -> None:
    """Write ``text`` to ``output``, in a new directory where there is none; nothing where it is None."""
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
