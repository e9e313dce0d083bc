"""Triton model: queries to candidates that may be recommended, and to lists where no ranker follows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import triton_python_backend_utils as pb_utils

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

from recsys.errors import RecsysError  # noqa: E402
from recsys.retrieval.types import FloatArray, IntArray  # noqa: E402
from recsys.runtime.popularity_fallback import CandidateResult  # noqa: E402
from recsys_serving.triton.list_tensors import ListWriter  # noqa: E402
from recsys_serving.triton.separate_stages import RetrieveStage, open_part  # noqa: E402


class _Asked(NamedTuple):
    """One request that is in order: its place among those that came together, and what it asks."""

    place: int
    queries: FloatArray
    excluded: IntArray
    k: IntArray
    width: int


class TritonPythonModel:
    """One instance; Triton makes, asks and ends it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the index and the vocabulary."""
        bundle = open_part(Path(_HERE) / "bundle")
        self._dim = bundle.manifest.index.dim
        self._stage = RetrieveStage(bundle)
        self._lists = ListWriter(bundle)
        # The first search makes tables and threads.
        self._stage(np.zeros((1, self._dim), dtype=np.float32), np.full((1, 1), -1, dtype=np.int64), 1)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Search for all requests at once; one that is wrong has an error for an answer."""
        answers: list[Any] = [None] * len(requests)
        asked: list[_Asked] = []
        for place, request in enumerate(requests):
            try:
                asked.append(self._read(place, request))
            except RecsysError as error:
                answers[place] = pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        if asked:
            found = self._stage(
                np.concatenate([one.queries for one in asked]),
                _joined([one.excluded for one in asked]),
                max(one.width for one in asked),
            )
            start = 0
            for one in asked:
                rows = slice(start, start + len(one.k))
                answers[one.place] = self._answer(requests[one.place], one, found.rows(rows, one.width))
                start = rows.stop
        return answers

    def _read(self, place: int, request: Any) -> _Asked:
        queries, excluded, k = (
            pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in ("query", "excluded", "k")
        )
        if queries.shape[1] != self._dim:
            raise RecsysError(
                f"Queries of {self._dim} numbers are required, but they have {queries.shape[1]}. Encode them with the "
                "query encoder of the same version."
            )
        widths = [self._stage.width(length) for length in k[:, 0].tolist()]
        return _Asked(place, queries, excluded, k[:, 0], max(widths))

    def _answer(self, request: Any, asked: _Asked, found: CandidateResult) -> Any:
        wanted = set(request.requested_output_names())
        outputs: dict[str, Any] = {"personalized": found.personalized[:, None]}
        if wanted & {"item_ids", "scores"}:
            outputs.update(self._lists(found.candidates, asked.k))
        if wanted & {"candidates", "candidate_scores"}:
            candidates = found.candidates.padded(self._stage.filled_width(asked.width))
            outputs["candidates"] = candidates.items
            outputs["candidate_scores"] = candidates.scores.astype(np.float32, copy=False)
        tensors = [pb_utils.Tensor(name, np.ascontiguousarray(outputs[name])) for name in outputs if name in wanted]
        return pb_utils.InferenceResponse(tensors)


def _joined(lists: list[IntArray]) -> IntArray:
    """Lists of several widths as one array, filled up with -1."""
    width = max(items.shape[1] for items in lists)
    return np.concatenate([np.pad(items, ((0, 0), (0, width - items.shape[1])), constant_values=-1) for items in lists])
