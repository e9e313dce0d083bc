"""Makes lists in this process, and keeps what became of each candidate."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.runtime.list_trace import ListTrace
from recsys.runtime.recommendation import Recommendation
from recsys.runtime.request import RecommendationRequest
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.resilience.deadline import Deadline


class TracingRuntime:
    """Stands where :class:`recsys_serving.recommending.runtime.Runtime` does, for one list.

    Attributes:
        opened: the bundle that was asked last; None: none was.
        request: what it was asked.
        trace: what became of the candidates.
    """

    def __init__(self) -> None:
        self.opened: OpenBundle | None = None
        self.request: RecommendationRequest | None = None
        self.trace: ListTrace | None = None

    def recommend(
        self, opened: OpenBundle, requests: Sequence[RecommendationRequest], deadline: Deadline
    ) -> tuple[list[Recommendation], bool]:
        """A list for each request; nothing is done without.

        Raises:
            RecsysError: a request names what does not exist, or a value is out of range.
        """
        answers = []
        for request in requests:
            answer, self.trace = opened.recommender.trace(request)
            self.opened, self.request = opened, request
            answers.append(answer)
        return answers, False
