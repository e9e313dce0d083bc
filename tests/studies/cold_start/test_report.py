from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np

from recsys.data.split import Split
from recsys.studies.cold_start.measured import Estimate, Row
from recsys.studies.cold_start.report import write

NONE = np.empty(0, dtype=np.int64)
SPLIT = Split(train=np.arange(5), valid=NONE, test=np.arange(5, 8))
STUDY = SimpleNamespace(
    prepared=SimpleNamespace(schema=SimpleNamespace(name="toy", content_hash="abc")),
    model_name="Content",
    view=SimpleNamespace(kind="implicit"),
    num_fold_in=[1, 3],
    protocols=(SimpleNamespace(name="cold_users", split=SPLIT),),
)
ITEMS = Row("cold_items", None, "Content", {"ndcg@10": Estimate(0.3, 0.2, 0.4, 7)}, 0.5)
USERS = Row("cold_users", 3, "Content", {"ndcg@10": Estimate(0.4, 0.3, 0.5, 5)}, 0.5)


def test_the_page_its_chart_and_the_numbers(tmp_path):
    page = write(STUDY, [ITEMS, USERS], 10, "python scripts/cold_start.py model=content", tmp_path)
    assert page == tmp_path / "cold_start.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Cold start: Content on toy\n\n`python scripts/cold_start.py model=content`\n")
    assert "![NDCG by the number of fold-in interactions](cold_start.png)" in text
    assert "| Content | cold_users | 3 | 5 | **.4000** [.3000, .5000] |" in text
    assert (tmp_path / "cold_start.png").is_file()


def test_numbers_are_json_with_the_splits(tmp_path):
    write(STUDY, [ITEMS, USERS], 10, "command", tmp_path)
    content = json.loads((tmp_path / "cold_start.json").read_text(encoding="utf-8"))
    assert (content["model"], content["data"], content["data_hash"], content["view"]) == (
        *("Content", "toy", "abc"),
        "implicit",
    )
    assert (content["num_fold_in"], content["k"], content["command"]) == ([1, 3], 10, "command")
    assert content["protocols"] == {
        "cold_users": {"split_hash": SPLIT.content_hash(), "num_training": 5, "num_test": 3}
    }
    assert [row["num_fold_in"] for row in content["rows"]] == [None, 3]


def test_without_new_users_there_is_no_chart(tmp_path):
    text = write(STUDY, [ITEMS], 10, "command", tmp_path).read_text(encoding="utf-8")
    assert "![" not in text
    assert not (tmp_path / "cold_start.png").exists()


def test_existing_files_are_replaced(tmp_path):
    for name in ("cold_start.md", "cold_start.json"):
        (tmp_path / name).write_text("stale", encoding="utf-8")
    write(STUDY, [ITEMS], 10, "command", tmp_path)
    assert "stale" not in (tmp_path / "cold_start.md").read_text(encoding="utf-8")
