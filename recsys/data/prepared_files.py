"""The files of a prepared directory, which is written atomically.

The files are written into a hidden directory beside the wanted one, ``schema.json`` last, and that directory is renamed
when it is complete. An interrupted run leaves only the hidden directory behind, and the next run removes it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from recsys.errors import DataError, PreparedDataError

INTERACTIONS_FILE = "interactions.parquet"
COLUMNS_FILE = "interactions.arrow"
USERS_FILE = "users.parquet"
ITEMS_FILE = "items.parquet"
USER_VOCABULARY_FILE = "user_vocabulary.parquet"
ITEM_VOCABULARY_FILE = "item_vocabulary.parquet"
FIXED_NEGATIVES_FILE = "fixed_negatives.parquet"
PENDING_FILE = "pending.parquet"
AMENDMENTS_FILE = "amendments.parquet"
SCHEMA_FILE = "schema.json"

REQUIRED_TABLES = (INTERACTIONS_FILE, USERS_FILE, ITEMS_FILE, USER_VOCABULARY_FILE, ITEM_VOCABULARY_FILE)
_OPTIONAL_TABLES = (FIXED_NEGATIVES_FILE, PENDING_FILE, AMENDMENTS_FILE)
_ALL_FILES = {*REQUIRED_TABLES, *_OPTIONAL_TABLES, COLUMNS_FILE, SCHEMA_FILE}
#: Interactions that were appended, see :mod:`recsys.data.interaction_files`.
_PART = "interactions.[0-9][0-9][0-9][0-9].parquet"


def part_names(directory: Path) -> list[str]:
    """The files of the interactions, in the order of their rows."""
    return [INTERACTIONS_FILE, *sorted(path.name for path in directory.glob(_PART))]


def table_paths(directory: Path) -> dict[str, Path]:
    """The tables of a prepared directory by file name; those that only some have where they exist."""
    optional = [name for name in _OPTIONAL_TABLES if (directory / name).exists()]
    return {name: directory / name for name in (*REQUIRED_TABLES, *optional, *part_names(directory)[1:])}


def write_table(table: pa.Table, path: Path) -> None:
    """Write one table.

    Raises:
        DataError: Parquet cannot hold the type of a column.
    """
    try:
        pq.write_table(table, path, compression="zstd")
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        types = ", ".join(f"{field.name}: {field.type}" for field in table.schema)
        raise DataError(
            f"{path.name} cannot be written as Parquet: {error}. Its columns are {types}. Leave the column out or "
            "convert it to strings, numbers or lists of them."
        ) from None


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Let one process at a time prepare ``directory``; others wait until it has finished.

    Raises:
        PreparedDataError: the parent directory cannot be written to.
    """
    path = directory.parent / f".{directory.name}.lock"
    lock = FileLock(path)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise _cannot_write(directory, error) from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # while it is held: afterwards it may be another's
        lock.release()


@contextmanager
def replaced_when_complete(directory: Path) -> Iterator[Path]:
    """An empty directory to write to, which becomes ``directory`` when the block ends without an error.

    To be used under :func:`locked`. An older prepared directory of that name is replaced.

    Raises:
        PreparedDataError: ``directory`` holds something other than prepared data, or writing failed (a full disk, no
            permission); nothing that was written is left.
    """
    _check_replaceable(directory)
    partial = directory.parent / f".{directory.name}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)  # left by an interrupted run
        partial.mkdir()
        yield partial
        if directory.exists():
            shutil.rmtree(directory)
        partial.rename(directory)
    except OSError as error:
        raise _cannot_write(directory, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_replaceable(directory: Path) -> None:
    """Refuse to replace a directory with files that preparation has not written."""
    if directory.is_dir():
        foreign = sorted({entry.name for entry in directory.iterdir()} - _ALL_FILES - {*part_names(directory)})
    else:
        foreign = [directory.name] if directory.exists() else []
    if foreign:
        raise PreparedDataError(
            f"{directory} cannot be replaced: it holds {', '.join(foreign[:3])}, which is no part of a prepared "
            "directory. Name another directory, or move what is there."
        )


def _cannot_write(directory: Path, error: OSError) -> PreparedDataError:
    return PreparedDataError(
        f"{directory} could not be written: {error.strerror or error}. Nothing half-written is left. Free some space "
        "or correct the permissions and prepare again, or choose another place (paths.prepared_dir=DIR)."
    )
