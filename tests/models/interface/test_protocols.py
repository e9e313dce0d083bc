import pytest
import torch
from torch import nn

from recsys.models.interface.protocols import (
    Fittable,
    FoldsIn,
    PretrainsInTowers,
    Query,
    RanksCandidates,
    ScoresPairs,
    ScoringModel,
    SequenceEncoder,
    dynamic_buffers,
)
from tests.models.small_data import histories_of

QUERY = Query(torch.tensor([5, -1, 7]), histories_of([1, 2], [], [3]), {"age": torch.tensor([20.0, 30.0, 40.0])})


def test_a_query_has_as_many_rows_as_users():
    assert len(QUERY) == 3


def test_rows_are_taken_with_all_that_is_known_of_them():
    taken = QUERY.take(torch.tensor([2, 0, 2]))
    assert taken.users.tolist() == [7, 5, 7]
    assert taken.histories.items.tolist() == [3, 1, 2, 3]
    assert taken.histories.counts.tolist() == [1, 2, 1]
    assert taken.features["age"].tolist() == [40.0, 20.0, 40.0]


def test_queries_share_no_features():
    first, second = (Query(torch.tensor([0]), histories_of([])) for _ in range(2))
    assert first.features == {} and first.features is not second.features


class Scores:
    def score(self, query):
        return query


class ScoresAndFits(Scores):
    def fit(self, interactions):
        return interactions


def test_a_model_can_do_what_it_has_methods_for():
    assert isinstance(Scores(), ScoringModel) and not isinstance(Scores(), Fittable)
    assert isinstance(ScoresAndFits(), ScoringModel) and isinstance(ScoresAndFits(), Fittable)
    assert not isinstance(ScoresAndFits(), FoldsIn | ScoresPairs)


@pytest.mark.parametrize("base", [SequenceEncoder, RanksCandidates, PretrainsInTowers])
def test_a_base_is_no_model_until_all_its_methods_are_there(base):
    missing = sorted(base.__abstractmethods__)
    with pytest.raises(TypeError, match=missing[0]):
        base()
    whole = type("Whole", (base,), {name: lambda self: None for name in missing})
    assert isinstance(whole(), nn.Module)


def test_buffers_whose_sizes_the_data_decide_are_those_that_the_model_names():
    class Lists(nn.Module):
        def dynamic_buffers(self):
            return ("neighbours",)

    assert dynamic_buffers(Lists()) == ("neighbours",)
    assert dynamic_buffers(nn.Linear(1, 1)) == ()
