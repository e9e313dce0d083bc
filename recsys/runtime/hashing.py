"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from recsys.errors import BundleError
from recsys.runtime.manifest import BundleFile


def file_of(path: Path) -> BundleFile:
    """Hash and size of a file."""
    with path.open("rb") as file:
        return BundleFile(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def check_files(directory: Path, files: dict[str, BundleFile]) -> None:
    """Require every file of a bundle as it was written.

    Raises:
        BundleError: one is missing, or was changed.
    """
    for name, stated in files.items():
        path = directory / name
        if Path(name).name != name:
            raise BundleError(
                f"The manifest of {directory} names {name}, which is no file of its own. Export it again."
            )
        try:
            found = file_of(path)
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror}). Export the bundle again.") from error
        if found != stated:
            raise BundleError(
                f"{path} was changed or damaged: its SHA-256 should be {stated.sha256[:12]}... ({stated.bytes:,} "
                f"bytes), but is {found.sha256[:12]}... ({found.bytes:,} bytes). Copy or export the bundle again."
            )
