import pandas as pd
import pytest

import recsys
from recsys.api import list_file
from tests.scripts.running import Scripts


@pytest.fixture
def run(model, tmp_path):
    return model.save(tmp_path / "run")


@pytest.fixture
def scripts(tmp_path, monkeypatch, capsys):
    return Scripts(tmp_path, monkeypatch, capsys)


def test_the_lists_of_all_users_of_a_run(scripts, run, model, tmp_path):
    finished = scripts("recommend_all", f"run={run}", "output=lists.parquet", "k=3", "titles=true")
    assert finished.status == 0, finished.err
    assert finished.out.startswith("30 lists in ") and finished.out.endswith("lists: lists.parquet\n")
    found = pd.read_parquet(tmp_path / "lists.parquet")
    pd.testing.assert_frame_equal(found, model.recommend(k=3, titles=True), check_dtype=False)


def test_the_lists_of_a_bundle_for_the_users_of_a_file(scripts, bundle_path, tmp_path):
    (tmp_path / "ids.txt").write_text("104\n101\n", encoding="utf-8")
    options = ["users=ids.txt", "k=2", "exclude_items=[11]", "filters={year: {gte: 2015}}"]
    finished = scripts("recommend_all", f"bundle={bundle_path}", "output=lists.csv", *options)
    assert finished.status == 0, finished.err
    found = pd.read_csv(tmp_path / "lists.csv")
    expected = recsys.load_bundle(bundle_path).recommend(
        [104, 101], k=2, exclude_items=["11"], filters={"year": {"gte": 2015}}
    )
    assert found["item_id"].tolist() == expected["item_id"].tolist()
    assert found["user_id"].tolist() == expected["user_id"].tolist()


def test_the_same_command_again_leaves_the_file_as_it_is(scripts, run, tmp_path):
    command = ["recommend_all", f"run={run}", "output=lists.csv", "k=3"]
    assert scripts(*command).status == 0
    before = (tmp_path / "lists.csv").stat().st_mtime_ns
    again = scripts(*command)
    assert (again.status, again.out) == (0, "finished before\nlists: lists.csv\n")
    assert (tmp_path / "lists.csv").stat().st_mtime_ns == before
    other = scripts(*command, "titles=true")
    assert other.status == 2 and "lists.csv is there already, and not of this very command" in other.err


def test_an_interruption_leaves_one_line_with_the_command_that_goes_on(scripts, run, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(list_file, "users_by_id", interrupted)
    finished = scripts("recommend_all", f"run={run}", "output=my lists.csv", "k=3")
    assert finished.status == 130
    assert finished.err == "interrupted\n"
    (line,) = finished.out.splitlines()
    assert line.startswith("not finished; to go on: ")
    assert line.endswith(f"scripts/recommend_all.py run={run} 'output=my lists.csv' k=3")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["output=lists.csv"], "Give either run=DIR or bundle=DIR; neither came"),
        (["run=a", "bundle=b", "output=lists.csv"], "both came"),
        (["run=RUN"], "output is required"),
        (["run=RUN", "output=lists.json"], "output must end with .parquet or .csv"),
        (["run=RUN", "output=lists.csv", "users=nowhere.txt"], "users=nowhere.txt cannot be read"),
        (["run=RUN", "output=lists.csv", "part_size=0"], "part_size must be at least 1"),
        (["run=RUN", "output=lists.csv", "filters={weight: {gte: 1}}"], "weight"),
    ],
)
def test_what_cannot_be_is_one_message(scripts, run, arguments, message):
    finished = scripts("recommend_all", *(argument.replace("RUN", str(run)) for argument in arguments))
    assert finished.status == 2 and message in finished.err
    assert len(finished.err.strip().splitlines()) == 1


def test_filters_that_do_not_exist_leave_no_file_behind(scripts, run, tmp_path):
    scripts("recommend_all", f"run={run}", "output=lists.csv", "filters={weight: {gte: 1}}")
    again = scripts("recommend_all", f"run={run}", "output=lists.csv")
    assert again.status == 0, again.err


def test_a_directory_goes_on_where_files_are_missing_and_refuses_other_settings(scripts, bundle_path, tmp_path):
    command = ["recommend_all", f"bundle={bundle_path}", "output=lists", "k=3", "part_size=8"]
    finished = scripts(*command)
    assert finished.status == 0 and finished.out.endswith("lists: lists\n"), finished.err
    whole = pd.read_parquet(tmp_path / "lists")
    assert len(list((tmp_path / "lists").glob("part-*.parquet"))) == 4 and len(whole) == 90
    assert scripts(*command).out.startswith("finished before\n")
    (tmp_path / "lists" / "part-000001.parquet").unlink()
    assert scripts(*command).status == 0
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "lists"), whole)
    other = scripts(*command, "titles=true")
    assert other.status == 2 and "lists was begun with other settings: titles was False, and is True now" in other.err


def test_a_run_is_not_asked_on_a_cluster(scripts, run):
    finished = scripts("recommend_all", f"run={run}", "output=lists", "engine=ray")
    assert finished.status == 2 and "engine=ray asks a bundle" in finished.err
