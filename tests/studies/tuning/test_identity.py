from __future__ import annotations

from omegaconf import OmegaConf

from recsys.studies.tuning.identity import study_identity


def identity(**settings):
    return study_identity("data", "split", "valid/ndcg@10", OmegaConf.create(settings))


def test_what_changes_a_trial_is_part_of_it():
    assert identity(model={"l2": 1}) != identity(model={"l2": 2})
    assert identity(seed=1)["settings"] == {"seed": "1"}


def test_names_paths_and_tracking_are_not():
    same = identity(seed=1)
    assert identity(seed=1, name="a", paths={"runs_dir": "x"}, tracking={"uri": "y"}, show_users=3) == same
