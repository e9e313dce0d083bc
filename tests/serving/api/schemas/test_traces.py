from dataclasses import asdict

from recsys_serving.api.schemas.traces import CandidateResponse, TraceResponse
from recsys_serving.recommending.inspection import CandidateStep, RecommendationTrace, StageTime

from recsys.runtime.list_trace import REASONS


def test_every_trace_fits_its_description():
    steps = tuple(CandidateStep("a", "Alien", 1.0, reason, None, None, None) for reason in (None, *REASONS))
    trace = RecommendationTrace((StageTime("model", 1.0),), "EASE", None, None, 7, {"seen": 1}, 6, steps, 0)
    told = TraceResponse(**asdict(trace))
    assert [one.removed_by for one in told.candidates] == [None, *REASONS]
    assert set(CandidateResponse.model_fields) == set(CandidateStep.__dataclass_fields__)
