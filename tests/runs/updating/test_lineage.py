import json
import shutil
from dataclasses import replace

from recsys.runs.updating.lineage import lineage, update_made_before
from recsys.runs.updating.update_record import UpdateRecord
from tests.studies.comparison.made_runs import make_run, table


def made(directory, name, parent=None, updates=1):
    path = make_run(directory, name, table([0.5, 0.6, 0.7]))
    if parent is not None:
        content = json.loads((path / "run.json").read_text())
        content["update"] = UpdateRecord(str(parent), updates, updates, "updated", 1, 0, 0, 0.1).plain()
        (path / "run.json").write_text(json.dumps(content))
    return path


def test_runs_are_followed_to_the_first_also_where_all_were_moved(tmp_path):
    first = made(tmp_path / "here", "first")
    second = made(tmp_path / "here", "second", first)
    third = made(tmp_path / "here", "third", second, 2)
    assert [one.path for one in lineage(third)] == [first, second, third]
    assert lineage(third)[2].manifest.lineage == f"update 2 of run {second}"
    moved = tmp_path / "there"
    shutil.move(tmp_path / "here", moved)
    assert [one.path for one in lineage(moved / third.name)] == [moved / p.name for p in (first, second, third)]
    shutil.rmtree(moved / first.name)
    assert [one.path for one in lineage(moved / third.name)] == [moved / p.name for p in (second, third)]


def test_an_update_that_was_made_is_found(tmp_path):
    first = made(tmp_path, "first")
    second = made(tmp_path, "second", first)
    hashed = lineage(second)[-1].manifest.data_hash
    assert update_made_before(tmp_path, first, hashed) == second
    assert update_made_before(tmp_path, second, hashed) is None
    assert update_made_before(tmp_path, first, "0" * 64) is None
    assert lineage(first)[0].manifest.parent is None and lineage(first)[0].manifest.lineage == ""
    record = lineage(second)[-1].record
    assert replace(record, since_refit=0) != record
