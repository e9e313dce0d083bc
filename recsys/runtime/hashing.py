"""The files of a bundle, and their hashes."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Collection
from pathlib import Path

from recsys.errors import BundleError, BundleWarning
from recsys.runtime.manifest import MANIFEST, BundleFile

#: Files that a warning names at most.
_SHOWN = 5


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


def report_extra_files(directory: Path, names: Collection[str]) -> None:
    """Warn of files that no manifest names: nothing reads them, and somebody may take them for a part of the bundle.

    Args:
        directory: of the bundle.
        names: those that its manifest names.
    """
    there = sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))
    extra = [name for name in there if name not in names and name != MANIFEST]
    if extra:
        more = f" and {len(extra) - _SHOWN} more" if len(extra) > _SHOWN else ""
        warnings.warn(
            f"{directory} has {len(extra)} files that its manifest does not name, and that nothing reads: "
            f"{', '.join(extra[:_SHOWN])}{more}. Move them elsewhere.",
            BundleWarning,
            stacklevel=3,
        )
