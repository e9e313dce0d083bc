import json

import numpy as np
import pandas as pd
import pytest

from tests.checkerboard import checkerboard
from tests.scripts.test_train import SMALL


@pytest.fixture
def protocol(tmp_path):
    """The checkerboard in the files of the NCF protocol, with three negatives of the other colour for each user."""
    interactions, split = checkerboard(num_users=30, num_items=20)
    pairs = pd.DataFrame({"user": interactions.user_index, "item": interactions.item_index})
    pairs.iloc[np.concatenate([split.train, split.valid])].to_parquet(tmp_path / "train.parquet", index=False)
    # One test item a user: where a user has two, the first.
    test = pairs.iloc[split.test].drop_duplicates("user")
    test.to_parquet(tmp_path / "test.parquet", index=False)
    negatives = [[(user + 1 + 2 * n) % 20 for n in range(3)] for user in test["user"]]
    pd.DataFrame({"user": test["user"], "negatives": negatives}).to_parquet(tmp_path / "negatives.parquet")
    return ["data=ncf", f"data.root={tmp_path}"]


def test_the_split_of_the_protocol_is_kept_and_its_metrics_have_their_own_names(scripts, protocol):
    finished = scripts("train", *protocol, *SMALL, "trainer.max_epochs=30")
    assert finished.status == 0, finished.err
    assert "30 test interactions" in finished.out
    assert "not among the full catalogue" in " ".join(finished.out.split())
    metrics = json.loads((scripts.directory / finished.run / "metrics.json").read_text())
    names = {name for name in metrics if name.startswith("sampled-3/")}
    measures = ("hit_rate@3", "ndcg@3", "hit_rate@3_strict", "ndcg@3_strict")
    assert names == {f"sampled-3/{measure}{bound}" for measure in measures for bound in ("", "_low", "_high")}
    # only a model that has learnt the colours puts the targets first
    assert metrics["sampled-3/ndcg@3"] > 0.95
    assert "test/ndcg@10" in metrics


def test_evaluation_repeats_them_and_validation_has_none(scripts, protocol):
    run = scripts("train", *protocol, *SMALL).run
    assert scripts("evaluate", f"run={run}", "output=test.json").status == 0
    again = json.loads((scripts.directory / "test.json").read_text())
    kept = json.loads((scripts.directory / run / "metrics.json").read_text())
    assert again == {name: value for name, value in kept.items() if not name.startswith("baseline/")}
    assert scripts("evaluate", f"run={run}", "stage=valid", "output=valid.json").status == 0
    assert not any("sampled" in name for name in json.loads((scripts.directory / "valid.json").read_text()))


def test_another_split_of_such_data_is_refused_where_it_has_not_one_target_a_user(scripts, protocol):
    finished = scripts("train", *protocol, *SMALL, "split=random_ratio")
    assert finished.status == 2
    assert "exactly one test item for each of their users" in finished.err


def test_whole_training_has_no_validation(scripts, protocol):
    finished = scripts("train", *protocol, *SMALL, "split=predefined_whole")
    assert finished.status == 0, finished.err
    assert "0 validation" in finished.out
    evaluated = scripts("evaluate", f"run={finished.run}", "stage=valid")
    assert evaluated.status == 2
    assert "the valid part of the split is empty" in evaluated.err
