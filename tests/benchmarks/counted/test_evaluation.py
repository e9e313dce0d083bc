from counted import evaluation
from counted.training_steps import NUM_ITEMS, NUM_USERS

from recsys.models.mf import MF


class WaitingMF(MF):
    """Looks at a score before it gives them."""

    def score(self, query):
        scores = super().score(query)
        assert scores[0, 0].item() < 100
        return scores


def test_what_a_model_does_for_a_batch_is_counted(monkeypatch):
    monkeypatch.setattr(evaluation, "_mf", lambda: WaitingMF(NUM_USERS, NUM_ITEMS))
    assert evaluation.synchronisations_per_batch() == 2


def test_all_batches_are_planned_for_80_gib(monkeypatch):
    few = evaluation.batches()
    monkeypatch.setattr(evaluation, "FREE_BYTES", 2**30)
    assert few < 30 < evaluation.batches()
