import optuna
import pytest

from recsys.studies.tuning import whole_journal
from recsys.studies.tuning.study_storage import StudyStorage
from recsys.studies.tuning.whole_journal import cut_unfinished_line


def study_in(path):
    storage = StudyStorage.locate(str(path), path.parent, "mine").open(optuna)
    return optuna.create_study(study_name="mine", storage=storage, load_if_exists=True)


def test_a_line_that_a_killed_worker_did_not_finish_spoils_nothing(tmp_path):
    path = tmp_path / "a.journal"
    study_in(path).set_user_attr("whole", 1)
    with path.open("a") as file:
        file.write('{"op_code":2,"worker_id":"kil')
    open_already = study_in(path)
    open_already.set_user_attr("after", 2)
    study_in(path).set_user_attr("later", 3)
    assert study_in(path).user_attrs == open_already.user_attrs == {"whole": 1, "after": 2, "later": 3}


@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
@pytest.mark.parametrize(
    ("content", "left"),
    [(b"", b""), (b"one\n", b"one\n"), (b"one\ntwo", b"one\n"), (b"\ntwo", b"\n"), (b"one", b"")],
)
def test_what_stands_behind_the_last_line_end_is_cut(tmp_path, monkeypatch, content, left, piece):
    monkeypatch.setattr(whole_journal, "_PIECE", piece)
    path = tmp_path / "a.journal"
    path.write_bytes(content)
    cut_unfinished_line(path)
    assert path.read_bytes() == left


def test_the_lock_of_a_journal_that_is_gone_is_given_back(tmp_path):
    path = tmp_path / "a.journal"
    study = study_in(path)
    path.unlink()
    with pytest.raises(optuna.exceptions.StorageInternalError):
        study.set_user_attr("after", 2)
    assert list(tmp_path.iterdir()) == []
