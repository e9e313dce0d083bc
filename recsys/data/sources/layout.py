"""Layouts: sets of files that belong together, and the search for them in a directory or an archive."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.data.sources.raw_file import RawFile
from recsys.errors import SourceError


@dataclass(frozen=True, slots=True)
class Layout:
    """A set of files that a reader understands.

    Args:
        name: name of the layout, which the reader knows it by.
        required: names of the required files. A tuple of names means any one of them.
        optional: names of files that are read if they exist.
        folders: folders to search, relative to the top of a directory or an archive; the top is always searched.
    """

    name: str
    required: tuple[str | tuple[str, ...], ...]
    optional: tuple[str | tuple[str, ...], ...] = ()
    folders: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(name if isinstance(name, str) else " or ".join(name) for name in self.required)

    def match(self, names: Mapping[str, RawFile]) -> dict[str, RawFile] | None:
        """The files of this layout among ``names``, keyed by the first of their names; None if one is missing."""
        for folder in ("", *(f"{folder}/" for folder in self.folders)):
            found: dict[str, RawFile] = {}
            for alternatives in (*self.required, *self.optional):
                candidates = (alternatives,) if isinstance(alternatives, str) else alternatives
                for candidate in candidates:
                    if f"{folder}{candidate}" in names:
                        found[candidates[0]] = names[f"{folder}{candidate}"]
                        break
            if all((name if isinstance(name, str) else name[0]) in found for name in self.required):
                return found
        return None


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files of one layout.

    Args:
        layout: name of the layout that matched.
        files: the files, keyed by the name that the layout gives them (the first where it gives several).
    """

    layout: str
    files: Mapping[str, RawFile]

    def __getitem__(self, name: str) -> RawFile:
        return self.files[name]

    def get(self, name: str) -> RawFile | None:
        """The file of that name, or None if it is absent."""
        return self.files.get(name)

    def containers(self) -> list[Path]:
        """The files on disk that hold them: the files themselves, or their archive; each once, sorted by name."""
        return sorted({file.path for file in self.files.values()})


def find_in_directory(directory: Path, layouts: Sequence[Layout]) -> FoundFiles:
    """The files of the first layout that the directory holds.

    Raises:
        SourceError: it holds none of the layouts.
    """
    # Only the folders that a layout names are listed: a user's directory may be a whole disk.
    names: dict[str, RawFile] = {}
    try:
        for folder in sorted({"", *(folder for layout in layouts for folder in layout.folders)}):
            if (directory / folder).is_dir():
                prefix = f"{folder}/" if folder else ""
                files = [path for path in (directory / folder).iterdir() if path.is_file()]
                names |= {f"{prefix}{path.name}": RawFile(path) for path in files}
    except OSError as error:
        raise SourceError(f"the directory {directory} cannot be listed: {error.strerror or error}") from error
    return _first_match(names, layouts, f"the directory {directory}")


def find_in_archive(archive: Path, layouts: Sequence[Layout]) -> FoundFiles:
    """The files of the first layout that the zip archive holds.

    Raises:
        SourceError: it is not a zip archive, or holds none of the layouts.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            names = {name: RawFile(archive, name) for name in opened.namelist()}
    except zipfile.BadZipFile as error:
        raise SourceError(f"{archive} is not a zip archive, or an incomplete one ({error})") from error
    except OSError as error:
        raise SourceError(f"{archive} cannot be read: {error.strerror or error}") from error
    return _first_match(names, layouts, f"the archive {archive}")


def _first_match(names: Mapping[str, RawFile], layouts: Sequence[Layout], place: str) -> FoundFiles:
    for layout in layouts:
        files = layout.match(names)
        if files is not None:
            return FoundFiles(layout.name, files)
    held = ", ".join(sorted(names)[:12]) or "nothing"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    raise SourceError(f"{place} does not have these files; it has {held}{more}")
