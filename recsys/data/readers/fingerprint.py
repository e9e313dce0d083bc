"""Fingerprints of readers, which identify raw data without reading them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from recsys.errors import SourceError


def make_fingerprint(reader: object, arguments: Mapping[str, object], files: Iterable[Path] = ()) -> dict[str, object]:
    """The fingerprint of a reader; see :meth:`recsys.data.raw.Reader.fingerprint`.

    Args:
        reader: the reader, of which the class name is used.
        arguments: its arguments except paths, as values that JSON can hold.
        files: local files that the user named; of each, the absolute path, size and time of modification are used.

    Raises:
        SourceError: a file does not exist.
    """
    return {"reader": type(reader).__name__, "arguments": dict(arguments), "files": [_stamp(path) for path in files]}


def _stamp(path: Path) -> dict[str, object]:
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}. Correct the path.") from error
    return {"path": str(path.resolve()), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
