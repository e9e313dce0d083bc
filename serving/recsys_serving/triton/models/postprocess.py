"""Triton model: candidates and what a ranker says of them to lists."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

from recsys.retrieval.candidates import Candidates  # noqa: E402
from recsys.runtime.popularity_fallback import CandidateResult  # noqa: E402
from recsys_serving.triton.list_tensors import ListWriter  # noqa: E402
from recsys_serving.triton.separate_stages import open_part, ranked  # noqa: E402


class TritonPythonModel:
    """One instance; Triton makes, asks and ends it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the vocabulary."""
        self._lists = ListWriter(open_part(Path(_HERE) / "bundle"))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        names = ("candidates", "candidate_scores", "personalized", "score", "k")
        items, found_scores, personalized, scores, ks = (_read(request, name) for name in names)
        if not items.shape == found_scores.shape == scores.shape:
            message = (
                "candidates, candidate_scores and score must have one shape, but theirs are "
                f"{items.shape}, {found_scores.shape} and {scores.shape}."
            )
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
        best = ranked(CandidateResult(Candidates(items, found_scores), personalized[:, 0]), scores)
        outputs = self._lists(best, ks[:, 0])
        wanted = set(request.requested_output_names())
        tensors = [pb_utils.Tensor(name, np.ascontiguousarray(outputs[name])) for name in outputs if name in wanted]
        return pb_utils.InferenceResponse(tensors)


def _read(request: Any, name: str) -> Any:
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()
