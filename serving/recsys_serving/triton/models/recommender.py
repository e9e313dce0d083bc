"""Triton model: a bundle that answers as it does in process, for the models ``recommend`` and ``similar``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import triton_python_backend_utils as pb_utils

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

from recsys.errors import BundleError, RecsysError, ServingError  # noqa: E402
from recsys.runtime.bundle_recommender import BundleRecommender  # noqa: E402
from recsys.runtime.onnx_model import OnnxModel  # noqa: E402
from recsys.runtime.request import RecommendationRequest  # noqa: E402
from recsys_serving.triton import answer_tensors  # noqa: E402
from recsys_serving.triton.interface import (  # noqa: E402
    EXPLAIN_SECONDS,
    RECOMMEND_INPUTS,
    SIMILAR_OUTPUTS,
    SIMILAR_SPECS,
    Tensors,
    column_inputs,
)
from recsys_serving.triton.item_changes import ITEMS, ItemChanges  # noqa: E402
from recsys_serving.triton.request_tensors import check_sizes, requests_of, similar_requests_of  # noqa: E402
from recsys_serving.triton.served_bundle import model_name, open_bundle, read_onnx_models  # noqa: E402
from recsys_serving.triton.server_model import ServerModel  # noqa: E402


class TritonPythonModel:
    """One instance; Triton makes, asks and ends it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the bundle.

        Raises:
            RecsysError: a file is damaged, or a change of the items cannot be read.
        """
        directory = Path(_HERE)
        bundle = open_bundle(directory)
        on_server = read_onnx_models(directory)
        version = int(args["model_version"])

        def open_model(file: str) -> OnnxModel:
            if file not in on_server:
                return OnnxModel(bundle.directory / file)
            return cast("OnnxModel", ServerModel(model_name(file), version, on_server[file], pb_utils))

        self._recommender = BundleRecommender(bundle, open_model=open_model, explain_seconds=EXPLAIN_SECONDS)
        self._changes = ItemChanges(directory / ITEMS, self._recommender)
        self._columns = bundle.user_columns
        self._inputs = [*RECOMMEND_INPUTS, *SIMILAR_SPECS, *column_inputs(self._columns)]
        if not on_server:  # these can only be run once the server runs
            self._changes.apply_new()
            self._recommender.warm_up()

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer requests together; one that is wrong has an error for an answer, and the others do not know."""
        try:
            self._changes.apply_new()
        except RecsysError as error:  # the items stay as they were
            pb_utils.Logger.log_error(str(error))
        answers: list[Any] = [None] * len(requests)
        parsed: dict[int, list[RecommendationRequest]] = {}
        for place, request in enumerate(requests):
            if set(SIMILAR_OUTPUTS) & set(request.requested_output_names()):
                answers[place] = _answered(request, partial(self._similar, request))
                continue
            try:
                parsed[place] = requests_of(self._read(request), self._columns)
            except Exception as error:
                answers[place] = _failed(error)
        for place, answer in self._recommended(requests, parsed).items():
            answers[place] = answer
        return answers

    def _recommended(self, requests: list[Any], parsed: dict[int, list[RecommendationRequest]]) -> dict[int, Any]:
        """An answer for each place."""
        try:
            lists = iter(self._recommender.recommend([one for rows in parsed.values() for one in rows]))
            made = {place: answer_tensors.tensors_of([next(lists) for _ in rows]) for place, rows in parsed.items()}
            return {place: _response(requests[place], tensors) for place, tensors in made.items()}
        except Exception:  # one of them is at fault: each by itself finds out which
            return {place: _answered(requests[place], partial(self._lists, rows)) for place, rows in parsed.items()}

    def _lists(self, parsed: list[RecommendationRequest]) -> Tensors:
        return answer_tensors.tensors_of(self._recommender.recommend(parsed))

    def _similar(self, request: Any) -> Tensors:
        tensors = self._read(request)
        found = [self._recommender.similar(ids, k, by) for ids, k, by in similar_requests_of(tensors)]  # type: ignore[arg-type]
        return answer_tensors.similar_tensors_of(found)

    def _read(self, request: Any) -> Tensors:
        """The inputs that came."""
        tensors = {name: pb_utils.get_input_tensor_by_name(request, name) for name in self._inputs}
        there = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        check_sizes({name: tensor.shape() for name, tensor in there.items()})
        return {name: tensor.as_numpy() for name, tensor in there.items()}


def _answered(request: Any, answer: Callable[[], Tensors]) -> Any:
    """The response to one request."""
    try:
        return _response(request, answer())
    except Exception as error:
        return _failed(error)


def _response(request: Any, tensors: Tensors) -> Any:
    wanted = set(request.requested_output_names())
    return pb_utils.InferenceResponse(
        [pb_utils.Tensor(name, np.ascontiguousarray(tensors[name])) for name in tensors if name in wanted]
    )


def _failed(error: Exception) -> Any:
    """The response to a request that is wrong, or that cannot be answered through no fault of its own."""
    if isinstance(error, RecsysError) and not isinstance(error, BundleError | ServingError):
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error), pb_utils.TritonError.INVALID_ARG))
    message = str(error) if isinstance(error, RecsysError) else f"{type(error).__name__}: {error}"
    pb_utils.Logger.log_error(f"A request cannot be answered: {message}")
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
