from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from recsys.data.split import Split
from recsys.errors import RunError
from recsys.studies.cold_start.running import ColdProtocol, ColdStart
from tests.studies.small_study import study_config

NONE = np.empty(0, dtype=np.int64)


def protocol(**news):
    return ColdProtocol(
        "toy", Split(NONE, NONE, NONE), Split(NONE, NONE, NONE), **{"new_users": False, "new_items": False} | news
    )


class FoldingModel(nn.Module):
    def score_histories(self, histories):
        raise NotImplementedError


class ContentModel(nn.Module):
    def sentence_encoder(self):
        raise NotImplementedError

    def set_item_features(self, features):
        raise NotImplementedError

    def set_sentence_vectors(self, vectors):
        raise NotImplementedError


def test_new_users_need_fold_in():
    assert protocol(new_users=True).cannot(nn.Identity()) == "scores only the users that it was trained on"
    assert protocol(new_users=True).cannot(FoldingModel()) is None


def test_new_items_need_content():
    assert protocol(new_items=True).cannot(FoldingModel()) == "cannot score an item without interactions"
    assert protocol(new_items=True).cannot(ContentModel()) is None
    assert protocol().cannot(nn.Identity()) is None


def config(tmp_path, *overrides):
    return study_config("cold_start", tmp_path, "model=item_knn", "num_fold_in=[2,0,2]", "k=5", *overrides)


def test_each_scenario_holds_out_what_is_new(tmp_path):
    study = ColdStart(config(tmp_path))
    assert study.num_fold_in == [0, 2]
    interactions = study.view.interactions
    for found in study.protocols:
        train, test = interactions.take(found.split.train), interactions.take(found.split.test)
        new_users = ~np.isin(test.user_index, train.user_index)
        new_items = ~np.isin(test.item_index, train.item_index)
        if found.name == "cold_both":
            assert (new_users | new_items).all() and new_users.any() and new_items.any()
        else:
            assert (new_users if found.new_users else new_items).all()
        # Refitting: nothing is left for validation only where it was asked for.
        assert len(found.split.valid) > 0


def test_rows_are_those_of_the_model_and_the_baselines(tmp_path):
    lines = []
    rows = list(ColdStart(config(tmp_path)).rows(lines.append))
    found = [(row.protocol, row.num_fold_in, row.model, row.cannot is None) for row in rows]
    assert found[:3] == [
        ("cold_items", None, "ItemKNN", False),
        ("cold_items", None, "Popularity", True),
        ("cold_items", None, "RandomScores", True),
    ]
    assert found[3:9] == [
        *(("cold_users", num, "ItemKNN", True) for num in (0, 2)),
        *(("cold_users", num, "Popularity", True) for num in (0, 2)),
        *(("cold_users", num, "RandomScores", True) for num in (0, 2)),
    ]
    assert len(found) == 15
    assert "cold_items: ItemKNN cannot take part, as it cannot score an item without interactions" in lines
    # Without a history there is nothing to fold in: no hits. Popularity does not depend on the history.
    by_key = {(row.protocol, row.num_fold_in, row.model): row.estimates for row in rows}
    assert by_key["cold_users", 0, "ItemKNN"]["recall@5"].mean == 0
    first, second = (by_key["cold_users", num, "Popularity"]["recall@5"] for num in (0, 2))
    assert (first.mean, first.num_users) == (second.mean, second.num_users)


def test_a_baseline_that_is_the_model_is_fitted_once(tmp_path):
    rows = ColdStart(study_config("cold_start", tmp_path, "model=popularity", "num_fold_in=[1]")).rows(lambda _: None)
    assert [row.model for row in rows if row.protocol == "cold_items"] == ["Popularity", "RandomScores"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["num_fold_in=[]"], r"num_fold_in must be a list of whole numbers .*, but it is \[\]. Correct it"),
        (["num_fold_in=[-1]"], r"but it is \[-1\]"),
        (["num_fold_in=[1.5]"], r"but it is \[1.5\]"),
        (["split=random_ratio"], "needs split=cold_both, .* but the split is RandomRatio"),
        (["resume=runs/x"], "A cold-start study always starts anew and cannot be resumed"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, overrides, message):
    with pytest.raises(RunError, match=message):
        ColdStart(config(tmp_path, *overrides))
