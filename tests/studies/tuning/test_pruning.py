from __future__ import annotations

import pytest

from recsys.studies.tuning.pruning import PrunedTrial, PruningListener


class Trial:
    """Keeps what is reported, and is pruned after some epochs."""

    def __init__(self, epochs: int) -> None:
        self.reported: list[tuple[float, int]] = []
        self._epochs = epochs

    def report(self, value: float, step: int) -> None:
        self.reported.append((value, step))

    def should_prune(self) -> bool:
        return len(self.reported) >= self._epochs


@pytest.mark.parametrize(("sign", "best"), [(1, (0.5, 2)), (-1, (0.2, 1))])
def test_a_pruned_trial_has_its_best_epoch(sign, best):
    trial = Trial(3)
    listen = PruningListener(trial, "ndcg", sign)
    listen(1, {"ndcg": 0.2, "loss": 9.0})
    listen(2, {"ndcg": 0.5})
    with pytest.raises(PrunedTrial) as pruned:
        listen(3, {"ndcg": 0.4})
    assert (pruned.value.value, pruned.value.best_epoch) == best
    assert trial.reported == [(0.2, 1), (0.5, 2), (0.4, 3)]


def test_epochs_without_the_metric_are_not_reported():
    trial = Trial(1)
    PruningListener(trial, "ndcg")(1, {"loss": 9.0})
    PruningListener(trial, "ndcg")(1, {"ndcg": float("nan")})
    assert trial.reported == []
