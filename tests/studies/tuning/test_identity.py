from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from recsys.errors import RunError
from recsys.studies.tuning.identity import check_identity, study_identity


def identity(**settings):
    return study_identity("data", "split", "valid/ndcg@10", OmegaConf.create(settings))


def test_what_changes_a_trial_is_part_of_it():
    assert identity(model={"l2": 1}) != identity(model={"l2": 2})
    assert identity(seed=1)["settings"] == {"seed": "1"}


def test_names_paths_and_tracking_are_not():
    same = identity(seed=1)
    assert identity(seed=1, name="a", paths={"runs_dir": "x"}, tracking={"uri": "y"}, show_users=3) == same


class Attributes:
    """Those of a study, in memory."""

    def __init__(self, **stored: object) -> None:
        self.user_attrs = stored

    def set_user_attr(self, key: str, value: object) -> None:
        self.user_attrs[key] = value


def test_the_worker_that_makes_a_study_says_what_it_is_of():
    study = Attributes()
    check_identity(study, identity(seed=1), "a.db", created=True)
    check_identity(study, identity(seed=1), "a.db", created=False)
    with pytest.raises(RunError, match=r"The study in a.db differs in settings \(seed\), so its trials cannot"):
        check_identity(study, identity(seed=2), "a.db", created=False)


def test_others_wait_until_it_has_said_so():
    study = Attributes()
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            study.user_attrs["identity"] = identity(seed=1)

    with pytest.raises(RunError, match="differs in settings"):
        check_identity(study, identity(seed=2), "a.db", created=False, sleep=sleep)
    assert len(waited) == 3


def test_where_it_was_killed_before_that_another_one_says_it():
    study = Attributes()
    check_identity(study, identity(seed=1), "a.db", created=False, sleep=lambda seconds: None)
    assert study.user_attrs["identity"] == identity(seed=1)


def test_data_that_lie_elsewhere_are_the_same_and_what_earlier_versions_noted_of_them_does_not_count():
    there = identity(seed=1, data={"root": "/a"})
    study = Attributes(identity={**there, "settings": {**there["settings"], "data": "{'root': '/a'}"}})
    check_identity(study, identity(seed=1, data={"root": "/b"}), "a.db", created=False)
    with pytest.raises(RunError, match="differs in data, so"):
        check_identity(study, {**identity(seed=1), "data": "other"}, "a.db", created=False)
