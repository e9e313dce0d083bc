import pytest
from recsys_serving.recommending.stages import STAGES, StageTimer


def test_each_stage_is_told_also_where_it_fails():
    told = []
    timer = StageTimer(lambda stage, seconds: told.append((stage, seconds >= 0)))
    with timer("state"):
        pass
    with pytest.raises(ValueError), timer("model"):
        raise ValueError
    assert told == [("state", True), ("model", True)] and {"state", "model"} < set(STAGES)
