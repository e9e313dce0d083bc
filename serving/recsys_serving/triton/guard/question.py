"""Asks a server a real question: what it would recommend, to nobody and to somebody with a history.

Triton says that it is ready while it refuses whatever it is asked, so nothing less tells.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from types import TracebackType

from recsys.errors import RecsysError
from recsys.runtime.request import RecommendationRequest
from recsys_serving.triton.client import TritonRecommender, client_module
from recsys_serving.triton.interface import RECOMMEND

#: Seconds that an answer may take.
ANSWER_SECONDS = 5.0
_LATE = "StatusCode.DEADLINE_EXCEEDED"


class Reply(Enum):
    """What became of a question.

    ``LATE`` is no answer in time, as of a busy server; ``NOT_LOADED`` is that nothing is loaded that could answer.
    """

    ANSWERED = "answered"
    LATE = "late"
    NOT_LOADED = "not loaded"
    REFUSED = "refused"


class Questioner:
    """Asks one server.

    Args:
        grpc_url: where it speaks gRPC.
        repository: its models; where there is no ``recommend`` among them, being ready is all that is asked.
        answer_seconds: that an answer may take.
    """

    def __init__(self, grpc_url: str, repository: Path, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._repository = repository
        self._seconds = answer_seconds
        self._client = client_module("grpc").InferenceServerClient(grpc_url)
        self._recommender = TritonRecommender(grpc_url, timeout_seconds=answer_seconds)

    def is_ready(self) -> bool:
        """Whether the server has come so far that it loaded what it was told to."""
        return self._true(self._client.is_server_ready)

    def is_loaded(self, model: str, version: str = "") -> bool:
        """Whether the server takes a model for loaded."""
        return self._true(self._client.is_model_ready, model, version)

    def instances(self, model: str, version: str) -> int:
        """How many instances a version of a model has by its configuration; 0 where it is not loaded."""
        from tritonclient.utils import InferenceServerException

        try:
            if not self._client.is_model_ready(model, version, client_timeout=self._seconds):
                return 0
            config = self._client.get_model_config(model, version, client_timeout=self._seconds).config
        except InferenceServerException:
            return 0
        return sum(group.count for group in config.instance_group)

    def ask(self) -> tuple[Reply, str]:
        """The reply, and what was said where it is not the best one."""
        if not (self._repository / RECOMMEND).is_dir():
            return (Reply.ANSWERED, "") if self.is_ready() else (Reply.REFUSED, "it is not ready")
        try:
            popular = self._recommender.recommend_one(RecommendationRequest(k=1))
            if popular.item_ids:
                self._recommender.recommend_one(RecommendationRequest(history=[popular.item_ids[0]], k=1))
        except RecsysError as error:
            if _status(error) == _LATE:
                return Reply.LATE, str(error)
            if self.is_ready() and not self.is_loaded(RECOMMEND):
                return Reply.NOT_LOADED, f"the model {RECOMMEND} is not loaded"
            return Reply.REFUSED, str(error)
        return Reply.ANSWERED, ""

    def close(self) -> None:
        """Close the connections."""
        self._recommender.close()
        self._client.close()

    def __enter__(self) -> Questioner:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _true(self, method: object, *arguments: str) -> bool:
        from tritonclient.utils import InferenceServerException

        try:
            return bool(method(*arguments, client_timeout=self._seconds))  # type: ignore[operator]
        except InferenceServerException:
            return False


def _status(error: RecsysError) -> str | None:
    cause = error.__cause__
    return None if cause is None or not hasattr(cause, "status") else cause.status()
