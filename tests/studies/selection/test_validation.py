"""Models are chosen on validation alone."""

from __future__ import annotations

import pytest

from recsys.errors import SettingsError
from recsys.studies.selection.candidate import Candidate, read_candidates
from recsys.studies.selection.validation import choose_on_validation


def test_a_model_that_has_learnt_the_pattern_beats_one_that_has_not(tmp_path):
    shared = ["data=synthetic", f"paths.prepared_dir={tmp_path}"]
    found = choose_on_validation(shared, read_candidates(["random", "item_knn", "model=ease model.l2=-1"]))
    assert found.best.candidate.name == "item_knn"
    assert [one.value is None for one in found.scores] == [False, False, True]
    assert "l2" in found.scores[2].error
    for one in found.scores[:2]:
        assert one.interval is not None and one.value is not None
        assert one.interval.low < one.value < one.interval.high


def test_each_candidate_names_a_model():
    with pytest.raises(SettingsError, match="has no model="):
        choose_on_validation([], [Candidate("live", ("settings_of=x",))])
