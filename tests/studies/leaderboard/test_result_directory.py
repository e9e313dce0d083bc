from __future__ import annotations

import json

import pytest

from recsys.errors import RunError
from recsys.studies.leaderboard.result_directory import FinalRun, ResultDirectory


def made(parent, name="shop"):
    return ResultDirectory.create(parent, name, ["data=table", "data.name=a b"], 3.0)


def test_what_was_asked_and_what_is_done_can_be_read_again(tmp_path):
    directory = made(tmp_path)
    directory.note("ease", FinalRun("runs/ease", 1.5))
    directory.note("slim", FinalRun("", error="too large"))
    directory.close()
    opened = ResultDirectory.open(directory.path)
    assert (opened.overrides, opened.minutes) == (["data=table", "data.name=a b"], 3.0)
    assert opened.tested == {"ease": FinalRun("runs/ease", 1.5), "slim": FinalRun("", error="too large")}
    assert opened.resume_command.endswith(f"scripts/benchmark_models.py resume={directory.path}")


def test_how_far_the_search_has_come_is_kept(tmp_path):
    directory = made(tmp_path)
    directory.reach(2, 61.23456)
    directory.close()
    opened = ResultDirectory.open(directory.path)
    assert (opened.stage, opened.spent_seconds) == (2, 61.235)


def test_none_is_used_twice(tmp_path):
    first, second = made(tmp_path), made(tmp_path)
    assert first.path != second.path
    assert first.path.name.endswith("_shop") or second.path.name.endswith("_shop_2")


def test_a_finished_one_is_not_gone_on_with(tmp_path):
    directory = made(tmp_path)
    directory.finish()
    with pytest.raises(RunError, match="is finished; there is nothing to resume. Its page: .*leaderboard.md"):
        ResultDirectory.open(directory.path)


def test_two_processes_do_not_work_on_one(tmp_path):
    directory = made(tmp_path)
    with pytest.raises(RunError, match="is at work in another process"):
        ResultDirectory.open(directory.path)
    directory.close()
    ResultDirectory.open(directory.path).close()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"tested": {"ease": {"x": 1}}}'])
def test_a_damaged_one_is_told(tmp_path, text):
    directory = made(tmp_path)
    directory.close()
    (directory.path / "leaderboard.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"leaderboard.json is damaged"):
        ResultDirectory.open(directory.path)


def test_a_directory_of_something_else_is_refused(tmp_path):
    with pytest.raises(RunError, match="has no leaderboard.json. Give the directory after 'results:'"):
        ResultDirectory.open(tmp_path)


def test_a_place_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be made .* Choose another output"):
        made(tmp_path / "file")


def test_the_state_is_json_for_people_and_programs(tmp_path):
    directory = made(tmp_path)
    content = json.loads((directory.path / "leaderboard.json").read_text(encoding="utf-8"))
    assert content["format_version"] == 2 and content["finished"] is False
