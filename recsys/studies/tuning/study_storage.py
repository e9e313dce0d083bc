"""Where the trials of a study are kept: a file of one machine, a file that several share, or PostgreSQL."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from recsys.cli.output_directory import make_output_directory
from recsys.errors import RunError

#: The trials of a study in its own directory, in SQLite: each is stored whole or not at all, whenever the process is
#: stopped.
STORE = "study.db"

#: The trials of a study that version 0.1 began; it is gone on with as it is.
JOURNAL = "study.journal"

#: Name of a study in a file of its own directory.
ONLY_STUDY = "recsys"

#: The database, if the command line does not say it: so that no password is in a list of processes.
URL_VARIABLE = "RECSYS_STUDY_URL"

_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_JOURNAL_SUFFIXES = (".journal", ".log")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")

#: Longest wait for another worker that writes to the same SQLite file.
_LOCK_SECONDS = 60

#: Workers that begin at once make the same tables; who comes second tries again, unless that has taken so long already.
_ATTEMPTS, _ATTEMPTS_SECONDS = 5, 5.0

#: How long a worker waits for a database that it was connected to, and that is started again.
_AWAY_SECONDS = 30.0

_NEEDED = (
    "storage must be a file of SQLite (*.db), a journal (*.journal), sqlite:///PATH or "
    "postgresql://user@host:port/name, but it is {given}. Correct it."
)


@dataclass(frozen=True, slots=True)
class StudyStorage:
    """A place for studies.

    Args:
        place: where it is, without user and password, for messages.
        study: name of the study there.
        open: makes Optuna's storage.
    """

    place: str
    study: str
    open: Callable[[ModuleType], Any]

    @classmethod
    def locate(cls, storage: str | None, directory: Path, name: str) -> StudyStorage:
        """The storage of a setting.

        Args:
            storage: a file, a URL, or None: the variable ``RECSYS_STUDY_URL``, or a file in ``directory``.
            directory: of the study.
            name: of the study, in a storage that may hold several.

        Raises:
            RunError: it is none of these, or has a password that others could read.
        """
        given = storage or os.environ.get(URL_VARIABLE)
        if not given:
            if (directory / JOURNAL).is_file():
                return cls(str(directory), ONLY_STUDY, lambda optuna: _open_journal(optuna, directory / JOURNAL))
            return cls(str(directory), ONLY_STUDY, lambda optuna: _open_sqlite(optuna, directory / STORE))
        if "://" in given:
            return cls._of_url(given, name, may_have_password=storage is None)
        path = Path(given).expanduser()
        if path.suffix in _JOURNAL_SUFFIXES:
            return cls(str(path), name, lambda optuna: _open_journal(optuna, path))
        if path.suffix in _SQLITE_SUFFIXES:
            return cls(str(path), name, lambda optuna: _open_sqlite(optuna, path))
        raise RunError(_NEEDED.format(given=given))

    @contextmanager
    def errors(self, optuna: ModuleType) -> Iterator[None]:
        """Tell a user of a storage that is lost while it is used.

        Args:
            optuna: the library.

        Raises:
            RunError: in place of Optuna's error.
        """
        try:
            yield
        except optuna.exceptions.StorageInternalError as error:
            raise RunError(
                f"The storage {self.place} was there, but is lost: {_reason(error)}. Mend it, then run the same "
                "command again: it goes on with the trials that are stored."
            ) from error

    @classmethod
    def _of_url(cls, url: str, name: str, may_have_password: bool) -> StudyStorage:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):  # the latter of a port
            raise RunError(_NEEDED.format(given="another URL")) from None
        if parsed.drivername == "sqlite" and parsed.database:
            path = Path(unquote(parsed.database)).expanduser()
            return cls(str(path), name, lambda optuna: _open_sqlite(optuna, path))
        if parsed.drivername not in _POSTGRES:
            raise RunError(_NEEDED.format(given=f"a URL of {parsed.drivername}"))
        if not may_have_password and (parsed.password is not None or "password" in parsed.query):
            raise RunError(
                "storage must have no password, which others could read in the list of processes. Leave it out, and "
                f"set PGPASSWORD; or give the whole URL in the variable {URL_VARIABLE}, and no storage."
            )
        host = parsed.host or parsed.query.get("host") or "localhost"
        place = f"{host}{f':{parsed.port}' if parsed.port else ''}/{parsed.database or ''}"
        whole = parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return cls(place, name, lambda optuna: _open_postgres(optuna, whole, place))


def _open_journal(optuna: ModuleType, path: Path) -> Any:
    make_output_directory(path.parent, "storage of the study", "storage=")
    from recsys.studies.tuning.whole_journal import WholeJournal

    try:
        return optuna.storages.JournalStorage(WholeJournal(path))
    except (optuna.exceptions.StorageInternalError, OSError, ValueError, LookupError, TypeError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, OSError):
            raise RunError(
                f"The storage {path} must be a file that can be read and written, but cannot be ({cause.strerror}). "
                "Choose another storage=."
            ) from error
        raise RunError(  # a line of something else
            f"The storage {path} must be a journal of studies or a new file, but has something else. Choose another "
            "storage=."
        ) from error


def _open_sqlite(optuna: ModuleType, path: Path) -> Any:
    """A storage in SQLite, whose transactions take turns.

    Python's driver begins a transaction with the first write, so that two workers could both read that a trial waits,
    and both take it. Here each transaction begins with the right to write.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import URL

    make_output_directory(path.parent, "storage of the study", "storage=")
    url = URL.create("sqlite", database=str(path)).render_as_string()
    options = {"connect_args": {"timeout": _LOCK_SECONDS}}
    storage = _made(optuna, lambda: optuna.storages.RDBStorage(url, engine_kwargs=options), str(path))
    storage.engine.dispose()
    event.listen(storage.engine, "connect", lambda connection, record: setattr(connection, "isolation_level", None))
    event.listen(storage.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return storage


def _open_postgres(optuna: ModuleType, url: str, place: str) -> Any:
    """A storage in PostgreSQL that waits for its server where that is started again."""
    try:
        import psycopg
    except ImportError as error:
        raise RunError(
            "A study in PostgreSQL needs psycopg, which is not installed. Run "
            "pip install 'recsys-framework[tune,service]'."
        ) from error
    from sqlalchemy import event

    options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
    storage = _made(optuna, lambda: optuna.storages.RDBStorage(url, engine_kwargs=options), place)
    event.listen(storage.engine, "do_connect", _PatientConnection(psycopg.OperationalError))
    return storage


class _PatientConnection:
    """Connects to a database that may be away for a while; having waited in vain it tries once each time.

    Args:
        away: the error of a database that cannot be reached.
    """

    def __init__(self, away: type[Exception]) -> None:
        self._away = away
        self._given_up = False

    def __call__(self, dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        until = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                connection = dialect.connect(*arguments, **options)
            except self._away:
                if self._given_up or time.monotonic() > until:
                    self._given_up = True
                    raise
                time.sleep(0.5)
            else:
                self._given_up = False
                return connection


def _made(optuna: ModuleType, make: Callable[[], Any], place: str) -> Any:
    """A storage with its tables, which another worker may be making at the same moment."""
    from sqlalchemy.exc import SQLAlchemyError

    until = time.monotonic() + _ATTEMPTS_SECONDS
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return make()
        # The last two are of a database that is half made, or of another version of Optuna.
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError, AssertionError) as error:
            if attempt == _ATTEMPTS or time.monotonic() > until:
                reason = _reason(error)
                what = f"Set PGPASSWORD or {URL_VARIABLE}" if "password" in reason else "Start its database"
                raise RunError(f"The storage {place} cannot be used: {reason}. {what}, or correct storage=.") from error
            time.sleep(0.2 * attempt)
    raise AssertionError("the last attempt returns or raises")


def _reason(error: BaseException) -> str:
    """What the database or the system says, on one line."""
    cause = error.__cause__ or error
    said = cause.strerror if isinstance(cause, OSError) else getattr(cause, "orig", None)
    return str(said or cause).strip().split("\n")[0].rstrip(".")
