import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import recsys
from recsys.api.list_file import write_lists
from recsys.errors import DataWarning, RecsysError


def test_the_file_has_the_lists_of_everyone(model, tmp_path):
    path = model.recommend_all(k=3, output=tmp_path / "lists.parquet", part_size=7, titles=True)
    found = pd.read_parquet(path)
    pd.testing.assert_frame_equal(found, model.recommend(k=3, titles=True), check_dtype=False)
    assert found.dtypes.astype(str).tolist() == ["int64", "int64", "float64", "int32", "str"]


def test_some_users_by_filters(model, tmp_path):
    options = {"k": 5, "filters": {"colour": {"any_of": ["white"]}}, "exclude_items": ["11"]}
    found = pd.read_csv(write_lists(model, tmp_path / "lists.csv", [104, 106], **options))
    expected = model.recommend([104, 106], **options)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_goes_on_after_an_interruption_to_the_same_file(model, tmp_path, monkeypatch):
    write_lists(model, tmp_path / "at_once.csv", k=3, part_size=7)
    asked = []
    whole = type(model).lists_of

    def interrupted(self, audience, *arguments):
        asked.append(len(audience))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return whole(self, audience, *arguments)

    monkeypatch.setattr(type(model), "lists_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_lists(model, tmp_path / "lists.csv", k=3, part_size=7)
    assert not (tmp_path / "lists.csv").exists()
    write_lists(model, tmp_path / "lists.csv", k=3, part_size=7)
    assert asked == [7, 7, 7, 7, 7, 2]  # 30 users in five parts, of which two are not made again
    assert (tmp_path / "lists.csv").read_bytes() == (tmp_path / "at_once.csv").read_bytes()


def test_what_is_whole_is_not_written_again(model, tmp_path, monkeypatch):
    path = write_lists(model, tmp_path / "lists.csv", k=3)
    monkeypatch.setattr(type(model), "lists_of", None)  # would fail
    assert write_lists(model, tmp_path / "lists.csv", k=3) == path
    with pytest.raises(RecsysError, match="is there already"):
        write_lists(model, tmp_path / "lists.csv", k=4)


def test_another_model_does_not_go_on_with_the_lists_of_one(model, split, tmp_path, monkeypatch):
    monkeypatch.setattr(recsys.EASE, "lists_of", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_lists(model, tmp_path / "lists.csv")
    with pytest.raises(RecsysError, match="begun with other settings: model was"):
        write_lists(recsys.Popularity().fit(split.train), tmp_path / "lists.csv")


def test_a_part_without_lists_has_the_same_types(model, tmp_path):
    nothing = {"filters": {"year": {"lte": 1}}}
    with pytest.warns(DataWarning, match=r"users got no item, the first of them 1\d\d: The filters leave 0"):
        found = pd.read_parquet(write_lists(model, tmp_path / "lists.parquet", part_size=7, **nothing))
    assert found.empty and found.dtypes.astype(str).tolist() == ["int64", "int64", "float64", "int32"]


def test_nobody_is_refused(model, tmp_path):
    with pytest.raises(RecsysError, match="needs at least one user"):
        write_lists(model, tmp_path / "lists.csv", [])


def test_strangers_are_told_of(model, tmp_path):
    with pytest.warns(DataWarning, match="1 of 2 users"):
        write_lists(model, tmp_path / "lists.csv", [104, 999], k=1)


ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}

#: Writes lists slowly, by a recommender that knows a number for each user; without torch, to start at once.
SLOW = """
import sys, time
from pathlib import Path
import pandas as pd
from recsys.api.frame_recommender import FrameRecommender
from recsys.data.id_types import IdTypes
from recsys.api.list_file import write_lists
from recsys.runtime.recommendation import Recommendation

class Slow(FrameRecommender):
    def recommender(self): return self
    def id_types(self): return IdTypes("int64", "int64")
    def user_labels(self): return pd.Series(range(120))
    def titles_of(self, item_ids): return item_ids
    def seen_counts(self, user_ids): return pd.Series(0, index=range(len(user_ids))).to_numpy()
    def identity(self): return "slow"
    def same_for_all(self): return False
    def recommend(self, requests):
        time.sleep(float(sys.argv[2]))
        return [
            Recommendation([str(int(one.user_id) * 7 % 11 + rank) for rank in range(3)], [3.0, 2.0, 1.0], True, "slow")
            for one in requests
        ]

write_lists(Slow(), Path(sys.argv[1]), k=3, part_size=4)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_ended_at_random_moments_comes_to_the_same_file(tmp_path, ending):
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    output, parts = tmp_path / "lists.csv", tmp_path / ".lists.csv.parts"
    command = [sys.executable, str(tmp_path / "slow.py")]
    done = []
    for number in range(3):
        process = subprocess.Popen([*command, str(output), "0.005"], stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        wanted = 4 + 8 * number
        while process.poll() is None and len(list(parts.glob("*.parquet"))) < wanted:
            time.sleep(0.001)
        time.sleep(random.random() * 0.02)
        process.send_signal(ending)
        process.wait()
        done.append(len(list(parts.glob("*.parquet"))))
    assert not output.exists() and done == sorted(done) and 4 <= done[0] < done[-1] < 30
    subprocess.run([*command, str(output), "0"], check=True, env=ENVIRONMENT)
    subprocess.run([*command, str(tmp_path / "at_once.csv"), "0"], check=True, env=ENVIRONMENT)
    assert output.read_bytes() == (tmp_path / "at_once.csv").read_bytes()
    assert len(pd.read_csv(output)) == 360 and not parts.exists()
