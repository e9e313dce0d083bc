"""The model that is retrained is chosen on interactions that none of the candidates knows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import DataError, RunError
from recsys.studies.retraining import model_choice
from recsys.studies.selection.candidate import Candidate
from tests.studies.newer_data.small_shop import contestant

LISTS = {
    "good": {"u1": ["b", "c"], "u2": ["d", "e"]},
    "bad": {"u1": ["e", "f"], "u2": ["f", "a"]},
}


@pytest.fixture
def choose(monkeypatch, tmp_path):
    """Chooses among candidates by what u1 and u2 did next."""
    monkeypatch.setattr(
        model_choice, "open_contestant", lambda path, label: contestant(label, [("u1", "a")], LISTS[path.name])
    )

    def chosen(names, pairs):
        table = tmp_path / "newest.parquet"
        pq.write_table(pa.table({"user_id": [one for one, _ in pairs], "item_id": [one for _, one in pairs]}), table)
        candidates = [Candidate(name, (f"model={name}",)) for name in names]
        return model_choice.choose_on_newest(candidates, train, table, "ndcg", 2)

    return chosen


def train(candidate):
    if candidate.name not in LISTS:
        raise RunError(f"{candidate.name} needs ratings")
    return Path(candidate.name)


def test_the_best_is_chosen_and_one_that_fails_takes_no_part(choose):
    found = choose(["bad", "broken", "good"], [("u1", "b"), ("u2", "d")])
    assert found.best.candidate.name == "good" and found.metric == "ndcg@2"
    assert [(one.candidate.name, one.value) for one in found.scores] == [("bad", 0.0), ("broken", None), ("good", 1.0)]
    assert found.scores[1].error == "broken needs ratings"
    assert [one.interval for one in found.scores] == [(0.0, 0.0), None, (1.0, 1.0)]


def test_what_a_candidate_knows_already_is_no_measure(choose):
    with pytest.raises(DataError, match="are known to one already"):
        choose(["bad", "good"], [("u1", "a")])


def test_where_all_fail_the_reasons_are_told(choose):
    with pytest.raises(RunError, match="broken: broken needs ratings"):
        choose(["broken"], [("u1", "b")])
