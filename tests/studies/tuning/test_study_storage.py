from __future__ import annotations

import time

import optuna
import pytest

from recsys.errors import RunError
from recsys.studies.tuning.study_storage import StudyStorage, _PatientConnection


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("RECSYS_STUDY_URL", raising=False)


def test_without_a_setting_it_is_a_file_of_the_directory(tmp_path):
    found = StudyStorage.locate(None, tmp_path, "mine")
    assert (found.place, found.study) == (str(tmp_path), "recsys")
    found.open(optuna)
    assert (tmp_path / "study.db").is_file()


def test_a_journal_of_an_earlier_version_is_gone_on_with(tmp_path):
    (tmp_path / "study.journal").touch()
    assert isinstance(StudyStorage.locate(None, tmp_path, "").open(optuna), optuna.storages.JournalStorage)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("{}/deep/a.journal", optuna.storages.JournalStorage),
        ("{}/deep/a.db", optuna.storages.RDBStorage),
        ("sqlite:///{}/deep/a%20b.sqlite", optuna.storages.RDBStorage),
    ],
)
def test_a_file_is_made_with_its_directory(tmp_path, given, kind):
    found = StudyStorage.locate(given.format(tmp_path), tmp_path, "mine")
    assert found.study == "mine"
    storage = found.open(optuna)
    assert isinstance(storage, kind)
    optuna.create_study(study_name="mine", storage=storage)
    assert [path.name for path in (tmp_path / "deep").iterdir()] in (["a.journal"], ["a.db"], ["a b.sqlite"])


def test_the_place_of_a_database_has_no_user_and_no_password(tmp_path, monkeypatch):
    assert StudyStorage.locate("postgresql://ann@host:99/studies", tmp_path, "mine").place == "host:99/studies"
    monkeypatch.setenv("RECSYS_STUDY_URL", "postgresql://ann:secret@host/studies")
    assert StudyStorage.locate(None, tmp_path, "mine").place == "host/studies"


@pytest.mark.parametrize("url", ["postgresql://ann:secret@host/db", "postgresql://ann@/db?host=h&password=secret"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(tmp_path, url):
    with pytest.raises(RunError, match="storage must have no password.*set PGPASSWORD") as refused:
        StudyStorage.locate(url, tmp_path, "mine")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("given", ["a.txt", "mysql://host/db", "sqlite://", "postgresql://host:abc/db"])
def test_anything_else_is_refused(tmp_path, given):
    with pytest.raises(RunError, match="storage must be a file of SQLite"):
        StudyStorage.locate(given, tmp_path, "mine")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_database_that_is_away_is_named_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_STUDY_URL", f"postgresql://ann:secret@/studies?host={tmp_path}")
    monkeypatch.setattr("recsys.studies.tuning.study_storage._ATTEMPTS", 1)
    with pytest.raises(RunError, match=f"The storage {tmp_path}/studies cannot be used: .*correct storage=") as away:
        StudyStorage.locate(None, tmp_path, "mine").open(optuna)
    assert "secret" not in str(away.value)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_password_that_is_wrong_is_said_to_be_set_elsewhere(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise optuna.exceptions.StorageInternalError('password authentication failed for user "ann"')

    monkeypatch.setattr("recsys.studies.tuning.study_storage._ATTEMPTS", 1)
    monkeypatch.setattr(optuna.storages, "RDBStorage", refuse)
    with pytest.raises(RunError, match='user "ann". Set PGPASSWORD or RECSYS_STUDY_URL, or correct storage='):
        StudyStorage.locate("postgresql://ann@host/studies", tmp_path, "mine").open(optuna)


def test_a_database_that_is_long_silent_is_not_asked_again(tmp_path, monkeypatch):
    asked = []

    def silent(*arguments, **options):
        asked.append(1)
        raise optuna.exceptions.StorageInternalError("connection timeout expired")

    monkeypatch.setattr("recsys.studies.tuning.study_storage._ATTEMPTS_SECONDS", -1.0)
    monkeypatch.setattr(optuna.storages, "RDBStorage", silent)
    with pytest.raises(RunError, match="cannot be used: connection timeout expired"):
        StudyStorage.locate("postgresql://ann@host/studies", tmp_path, "mine").open(optuna)
    assert len(asked) == 1


class Dialect:
    """Makes connections to a database that is away so many times."""

    def __init__(self, away):
        self.away, self.asked = away, 0

    def connect(self):
        self.asked += 1
        if self.asked <= self.away:
            raise ConnectionError
        return "connected"


def test_a_database_that_is_started_again_is_waited_for(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert _PatientConnection(ConnectionError)(Dialect(away=3), None, (), {}) == "connected"


def test_a_database_that_stays_away_is_waited_for_once(monkeypatch):
    monkeypatch.setattr("recsys.studies.tuning.study_storage._AWAY_SECONDS", 0.0)
    connect, dialect = _PatientConnection(ConnectionError), Dialect(away=100)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            connect(dialect, None, (), {})
        monkeypatch.setattr("recsys.studies.tuning.study_storage._AWAY_SECONDS", 1e9)
    assert dialect.asked <= 3
    dialect.away = 0
    assert connect(dialect, None, (), {}) == "connected"


def test_what_one_connection_takes_no_other_takes(tmp_path):
    first = StudyStorage.locate(str(tmp_path / "a.db"), tmp_path, "mine").open(optuna)
    study = optuna.create_study(study_name="mine", storage=first)
    study.enqueue_trial({})
    with first.engine.begin() as holding:  # has the right to write
        locked = StudyStorage.locate(str(tmp_path / "a.db"), tmp_path, "mine").open
        second = _impatient(locked)
        with pytest.raises(optuna.exceptions.StorageInternalError):
            second.set_trial_state_values(1, optuna.trial.TrialState.RUNNING)
        holding.exec_driver_sql("UPDATE trials SET state = 'RUNNING'")
    assert second.set_trial_state_values(1, optuna.trial.TrialState.RUNNING) is False


def _impatient(open_storage):
    """A storage that does not wait for others."""
    from sqlalchemy import event

    storage = open_storage(optuna)
    event.listen(storage.engine, "connect", lambda connection, record: connection.execute("PRAGMA busy_timeout=10"))
    return storage


@pytest.mark.parametrize("name", ["a.journal", "a.db"])
def test_a_file_that_cannot_be_written_is_told(tmp_path, name):
    (tmp_path / "file").touch()
    beneath = StudyStorage.locate(str(tmp_path / "file" / name), tmp_path, "mine")
    with pytest.raises(RunError, match=r"storage of the study, but .*cannot be made .*Choose another storage="):
        beneath.open(optuna)
    (tmp_path / name).mkdir()
    with pytest.raises(RunError, match=rf"The storage .*{name} (must be a file|cannot be used).*storage="):
        StudyStorage.locate(str(tmp_path / name), tmp_path, "mine").open(optuna)


@pytest.mark.parametrize("name", ["a.journal", "a.db"])
@pytest.mark.parametrize("content", ["hello\n", "[1]\n", '{"op_code": 0}\n'])
def test_a_file_of_something_else_is_told(tmp_path, name, content):
    (tmp_path / name).write_text(content * 200)
    with pytest.raises(RunError, match=rf"The storage .*{name} (must be a journal|cannot be used).*storage="):
        StudyStorage.locate(str(tmp_path / name), tmp_path, "mine").open(optuna)
