"""The checkerboard with content that tells an item's colour: new users and new items can be recognised."""

import json

import numpy as np
import pytest

PLAIN = ["trainer.accelerator=cpu", "num_fold_in=[1,3]", "output=out", "evaluation.bootstrap_samples=50"]
SMALL = ["trainer.max_epochs=1", "training.batch_size=64", "model.embedding_dim=8"]


@pytest.fixture
def coloured(tmp_path):
    """30 users by 40 items; users have most items of their colour, which is a feature."""
    random = np.random.default_rng(0)
    users, items = np.nonzero(np.add.outer(np.arange(30), np.arange(40)) % 2 == 0)
    kept = random.random(len(users)) < 0.8
    rows = ["user_id,item_id", *(f"u{u:02},{i:02}" for u, i in zip(users[kept], items[kept], strict=True))]
    (tmp_path / "interactions.csv").write_text("\n".join(rows), encoding="utf-8")
    table = ["item_id,colour", *(f"{item:02},{'white' if item % 2 else 'black'}" for item in range(40))]
    (tmp_path / "items.csv").write_text("\n".join(table), encoding="utf-8")
    return ["data=table", "data.interactions=interactions.csv", "data.items=items.csv"]


def rows_of(scripts, finished):
    assert finished.status == 0, finished.err
    content = json.loads((scripts.directory / "out" / "cold_start.json").read_text())
    rows = {(row["protocol"], row["num_fold_in"], row["model"]): row for row in content["rows"]}
    assert len(rows) == len(content["rows"])
    return content, rows


def test_a_content_model_knows_new_items_and_new_users(scripts, coloured):
    finished = scripts("cold_start", *coloured, *PLAIN, "model=content")
    content, rows = rows_of(scripts, finished)
    assert finished.out.strip().endswith("cold start: out/cold_start.md")
    blocks = [("cold_items", None), *((name, num) for name in ("cold_users", "cold_both") for num in (1, 3))]
    assert set(rows) == {(*block, model) for block in blocks for model in ("Content", "Popularity", "RandomScores")}
    # 8 of 40 items are not in training, half of them of the user's colour: a list of 10 of its own colour has all
    among_new = "cold_catalogue/recall@10"
    assert rows["cold_items", None, "Content"]["estimates"][among_new]["mean"] == 1.0
    for block in blocks:
        means = {
            model: rows[(*block, model)]["estimates"]["ndcg@10"]["mean"]
            for model in ("Content", "Popularity", "RandomScores")
        }
        assert means["Content"] > means["Popularity"]
        assert means["Content"] > means["RandomScores"]
    assert rows["cold_items", None, "Popularity"]["estimates"]["item_warmth=cold/recall@10"]["mean"] == 0.0
    assert content["command"].startswith("python scripts/cold_start.py data=table")
    assert "output" not in content["command"]
    page = (scripts.directory / "out" / "cold_start.md").read_text()
    assert "# Cold start: Content on table" in page
    assert "![NDCG by the number of fold-in interactions](cold_start.png)" in page
    assert (scripts.directory / "out" / "cold_start.png").is_file()


def test_the_same_users_are_asked_whatever_is_given(scripts, coloured):
    _, rows = rows_of(scripts, scripts("cold_start", *coloured, *PLAIN, "model=item_knn"))
    popular = [rows["cold_users", num, "Popularity"]["estimates"]["ndcg@10"] for num in (1, 3)]
    assert popular[0] == popular[1]
    found = [rows["cold_users", num, "ItemKNN"]["estimates"]["ndcg@10"]["mean"] for num in (1, 3)]
    assert found[0] > popular[0]["mean"]


def test_what_a_model_cannot_do_is_said_and_not_tried(scripts, coloured):
    finished = scripts("cold_start", *coloured, *PLAIN, "model=ease")
    _, rows = rows_of(scripts, finished)
    assert rows["cold_items", None, "EASE"]["cannot"] == "cannot score an item without interactions"
    assert rows["cold_both", 1, "EASE"]["cannot"] == "cannot score an item without interactions"
    assert rows["cold_users", 1, "EASE"]["cannot"] is None
    assert "cannot" in finished.out


def test_a_model_that_is_trained_in_epochs(scripts, coloured):
    finished = scripts("cold_start", *coloured, *PLAIN, *SMALL, "model=mf")
    _, rows = rows_of(scripts, finished)
    assert rows["cold_users", 3, "MF"]["cannot"] == "scores only the users that it was trained on"
    assert not any(row["estimates"] for (_, _, model), row in rows.items() if model == "MF")
    assert rows["cold_users", 3, "Popularity"]["estimates"]


def test_a_deep_model_with_content_is_trained_for_each_protocol(scripts, coloured):
    finished = scripts("cold_start", *coloured, *PLAIN, *SMALL, "model=two_tower", "training=next_item")
    _, rows = rows_of(scripts, finished)
    of_model = [row for (_, _, model), row in rows.items() if model == "TwoTower"]
    assert len(of_model) == 5
    assert all(row["estimates"]["ndcg@10"]["num_users"] > 0 for row in of_model)
    assert finished.out.count("valid/ndcg@10") == 3


def test_a_baseline_is_not_measured_twice(scripts, coloured):
    _, rows = rows_of(scripts, scripts("cold_start", *coloured, *PLAIN, "model=popularity"))
    assert {model for _, _, model in rows} == {"Popularity", "RandomScores"}


def test_with_refit_validation_is_trained_on(scripts, coloured):
    finished = scripts("cold_start", *coloured, *PLAIN, "model=content", "refit=true")
    assert finished.status == 0, finished.err
    assert finished.out.count(" 0 validation") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["num_fold_in=[]"], "num_fold_in must be a list of whole numbers"),
        (["num_fold_in=[1.5]"], "num_fold_in must be a list of whole numbers"),
        (["num_fold_in=[40]"], "0 users have the 41 interactions that it takes to be held out"),
        (["split=random_ratio"], "needs split=cold_both"),
        (["resume=runs/x"], "cannot be resumed"),
        (["split.items.test_ratio=2"], "split.items.test_ratio must be above 0 and below 1"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_one_clear_message(scripts, coloured, arguments, message):
    finished = scripts("cold_start", *coloured, *PLAIN, "model=content", *arguments)
    assert finished.status != 0
    assert message in finished.err
    assert "Traceback" not in finished.err
