from datetime import UTC, datetime

from recsys_serving.api.schemas.experiments import ExperimentResponse, RolloutResponse
from recsys_serving.store.admin.records import ExperimentRecord, ExperimentStatus

NOW = datetime(2024, 3, 1, tzinfo=UTC)
ROLLOUT = {"plan": {"steps": [0.5, 1.0]}, "since": 1000.0, "step": 1, "everyone_since": 1000.0, "reason": "why"}


def record(rollout):
    return ExperimentRecord("one", "One", ExperimentStatus.PAUSED, {"salt": "s"}, 3, NOW, NOW, NOW, None, rollout)


def test_an_experiment_tells_where_its_rollout_is():
    told = ExperimentResponse.of(record(ROLLOUT))
    assert (told.status, told.definition) == ("paused", {"salt": "s"})
    assert told.rollout is not None
    assert (told.rollout.treatment_share, told.rollout.reason) == (1.0, "why")
    assert told.rollout.everyone_since == told.rollout.since == datetime.fromtimestamp(1000, UTC)


def test_an_experiment_without_a_rollout_tells_none():
    assert ExperimentResponse.of(record(None)).rollout is None
    assert RolloutResponse.of(record(None)) is None
