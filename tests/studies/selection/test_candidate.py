"""Lists of models to choose from."""

from __future__ import annotations

import pytest

from recsys.errors import SettingsError
from recsys.studies.selection.candidate import FAST_MODELS, Candidate, read_candidates


def test_a_candidate_is_a_name_or_settings():
    ease, ials = read_candidates(["ease", "model=ials 'data.since=2026-01-01' model.embedding_dim=32"])
    assert ease == Candidate("ease", ("model=ease",))
    assert ials.name == "ials data.since=2026-01-01 model.embedding_dim=32" and ials.model == "ials"


def test_all_fast_models_exist():
    assert [one.model for one in read_candidates(FAST_MODELS)] == list(FAST_MODELS)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["model.embedding_dim=32"], "must be names of models with settings"),
        (["ease ials"], "must be names of models with settings"),
        (["esae"], "has esae. Correct it"),
        (["ease", "model=ease"], "has ease more than once"),
    ],
)
def test_what_is_none_is_refused(texts, message):
    with pytest.raises(SettingsError, match=message):
        read_candidates(texts)
